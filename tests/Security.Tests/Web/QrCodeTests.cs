using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using MissionControl.Testing;
using QRCoder;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>What a camera reads off the page is the key that stands beside it, and nothing else.</summary>
public sealed partial class QrCodeTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task The_drawing_is_of_exactly_the_authenticators_address()
    {
        var code = (await SomebodySignedIn.InvitedAsync(host.Admin, "ada@vendor.example", "viewer")).Code!;
        using var browser = await Browser.OpenAsync(host, "/invitation");
        using var answer = await browser.SubmitAsync("/invitation", new() { ["invitation"] = code });
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        var secret = SecretField().Match(page).Groups[1].Value;
        Assert.Matches("^[A-Z2-7]{32}$", secret);

        var size = int.Parse(Size().Match(page).Groups[1].Value, CultureInfo.InvariantCulture);
        var drawn = Modules().Match(page).Groups[1].Value;
        var dark = Place().Matches(drawn).Select(match => (X: int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), Y: int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))).ToHashSet();
        Assert.Equal(drawn.Length, dark.Sum(module => $"M{module.X} {module.Y}h1v1h-1z".Length));
        Assert.Equal(dark, Draw($"otpauth://totp/Mission%20Control:ada%40vendor.example?secret={secret}&issuer=Mission%20Control", size));

        // Another key is another drawing: what is compared is what the key says.
        Assert.NotEqual(dark, Draw($"otpauth://totp/Mission%20Control:ada%40vendor.example?secret={new string('A', 32)}&issuer=Mission%20Control", size));
    }

    private static HashSet<(int X, int Y)> Draw(string text, int size)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        Assert.Equal(size, code.ModuleMatrix.Count);
        return [.. Enumerable.Range(0, size).SelectMany(y => Enumerable.Range(0, size).Where(x => code.ModuleMatrix[y][x]).Select(x => (x, y)))];
    }

    [GeneratedRegex("name=\"secret\" value=\"([A-Z2-7]+)\"")]
    private static partial Regex SecretField();

    [GeneratedRegex("class=\"qr\" viewBox=\"0 0 ([0-9]+) ")]
    private static partial Regex Size();

    [GeneratedRegex("<path d=\"([^\"]+)\" class=\"qr-dark\"")]
    private static partial Regex Modules();

    [GeneratedRegex("M([0-9]+) ([0-9]+)h1v1h-1z")]
    private static partial Regex Place();
}
