using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;

namespace MissionControl.Licensing.Pricing;

/// <summary>Sheets over HTTP: what comes in by its Content-Type, what goes out by Accept.</summary>
internal static class SheetFormats
{
    public const string Json = "application/json";
    public const string Yaml = "application/yaml";
    public const string Csv = "text/csv";
    private const int MostBytes = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The sheet of a request, or the refusal with every error.</summary>
    public static async Task<(PriceSheet? Sheet, IResult? Refusal)> ReadAsync(HttpRequest request, PriceBook book, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var (sheet, errors, refusal) = await CheckAsync(request, book, db, cancellationToken);
        return (sheet, refusal ?? (sheet is null ? Problems.Invalid(errors) : null));
    }

    /// <summary>The sheet of a request, if there is nothing wrong with it, and every error otherwise; a refusal of what is no sheet at all.</summary>
    public static async Task<(PriceSheet? Sheet, IReadOnlyList<FieldError> Errors, IResult? Refusal)> CheckAsync(HttpRequest request, PriceBook book, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType.Value?.ToLowerInvariant() is not (Json or Yaml or Csv))
        {
            return (null, [], Problems.Of(ProblemCodes.UnsupportedMediaType, $"A price sheet is {Json}, {Yaml} or {Csv}."));
        }

        if (await BytesAsync(request.Body, cancellationToken) is not { } bytes)
        {
            return (null, [], Problems.Of(ProblemCodes.PayloadTooLarge, $"A price sheet has at most {MostBytes} bytes."));
        }

        var errors = new SheetErrors();
        var raw = Read(bytes, type.MediaType.Value.ToLowerInvariant(), errors);
        if (raw is null)
        {
            return (null, errors.All, null);
        }

        var meters = (await Meters.Meters.AllAsync(db, cancellationToken)).Keys.Select(key => key.Key).ToHashSet(StringComparer.Ordinal);
        var last = await db.Set<PriceBookVersion>().Where(row => row.BookId == book.Id && row.State == PriceBookVersionState.Published).MaxAsync(row => (int?)row.FromHour, cancellationToken);
        return (SheetCheck.Read(raw, new SheetContext(book.Currency, meters, last), errors), errors.All, null);
    }

    /// <summary>What a file says, not yet checked.</summary>
    public static RawSheet? Read(ReadOnlyMemory<byte> bytes, string format, SheetErrors errors)
    {
        string text;
        try
        {
            text = Strict.GetString(bytes.Span).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            errors.Add(new Cell(null, "", 1), "not-utf8", "The file is not in UTF-8.");
            return null;
        }

        return format switch
        {
            Csv => SheetCsv.Read(text, errors),
            Yaml => SheetTree.ReadYaml(text, errors),
            _ => SheetTree.ReadJson(text, errors),
        };
    }

    /// <summary>The sheet in the format that the caller wants most; JSON for whoever does not say.</summary>
    public static IResult Write(HttpRequest request, string name, PriceSheet sheet)
    {
        request.HttpContext.Response.Headers.Vary = "Accept";
        var wanted = request.GetTypedHeaders().Accept.OrderByDescending(accepted => accepted.Quality ?? 1).Select(accepted => accepted.MediaType.Value?.ToLowerInvariant()).FirstOrDefault(type => type is Json or Yaml or Csv or "*/*" or "application/*" or "text/*");
        return wanted switch
        {
            Csv or "text/*" => TypedResults.File(Encoding.UTF8.GetBytes(SheetCsv.Write(sheet)), $"{Csv}; charset=utf-8; header=present", $"{name}.csv"),
            Yaml => TypedResults.File(Encoding.UTF8.GetBytes(SheetTree.WriteYaml(sheet)), $"{Yaml}; charset=utf-8", $"{name}.yaml"),
            _ => TypedResults.Ok(sheet.ToItem()),
        };
    }

    private static async Task<ReadOnlyMemory<byte>?> BytesAsync(Stream body, CancellationToken cancellationToken)
    {
        using var held = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (held.Length + read > MostBytes)
            {
                return null;
            }

            held.Write(buffer, 0, read);
        }

        return held.ToArray();
    }
}
