using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Http;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class CsvTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-03-01T12:00:00.5Z", System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_list_becomes_a_file_that_says_what_and_when_it_is()
    {
        var (context, text) = await WriteAsync(new Row("Oslo, \"2\"", -3, 0.5, Now, true, null), new Row("=1+1", 7, double.MaxValue, Now.ToOffset(TimeSpan.FromHours(2)), false, ["a", "b"]));

        Assert.Equal("text/csv; charset=utf-8; header=present", context.Response.ContentType);
        Assert.Equal("attachment; filename=clusters-20260301T120000Z.csv", context.Response.Headers.ContentDisposition);
        Assert.Equal(
            "name,nodesUp,share,lastContact,stale,tags\r\n"
            + "\"Oslo, \"\"2\"\"\",-3,0.5,2026-03-01T12:00:00.5Z,true,\r\n"
            + "\"'=1+1\",7,1.7976931348623157E+308,2026-03-01T12:00:00.5Z,false,\"[\"\"a\"\",\"\"b\"\"]\"\r\n", text);
    }

    [Theory]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@a")]
    [InlineData("\ta")]
    public async Task A_text_that_looks_like_a_formula_is_defused(string name)
    {
        var (_, text) = await WriteAsync(new Row(name, 1, 1, Now, false, null));

        Assert.Contains("'" + name, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/csv", true)]
    [InlineData("text/csv, application/json;q=0.5", true)]
    [InlineData("application/json, text/csv;q=0.5", false)]
    [InlineData("*/*", false)]
    [InlineData("", false)]
    public void It_is_written_for_those_who_prefer_it(string accept, bool wanted)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Accept = accept;

        Assert.Equal(wanted, Csv.IsWanted(context.Request));
    }

    private static async Task<(HttpContext Context, string Text)> WriteAsync(params Row[] rows)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton<TimeProvider>(new StoppedTime()).BuildServiceProvider() };
        context.Response.Body = body;
        await Csv.File("clusters", rows).ExecuteAsync(context);
        return (context, Encoding.UTF8.GetString(body.ToArray()));
    }

    private sealed record Row(string Name, int NodesUp, double Share, DateTimeOffset LastContact, bool Stale, string[]? Tags);

    private sealed class StoppedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
