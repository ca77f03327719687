using System.Text.RegularExpressions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>A browser without script: keeps cookies, which a test can plant and take, and follows nothing.</summary>
internal sealed partial class Browser(HttpClient client) : IDisposable
{
    private readonly Dictionary<string, string> cookies = [];

    /// <summary>What proves that a form is of the page that was opened last.</summary>
    public string Forgery { get; set; } = "";

    /// <summary>The session's cookie; null: there is none.</summary>
    public string? Session
    {
        get => Cookie(SessionCookie);
        set => Plant(SessionCookie, value!);
    }

    private const string SessionCookie = "__Host-mc-session";

    public static async Task<Browser> OpenAsync(ControlPlane host, string path)
    {
        var browser = new Browser(host.Client(host.Portal));
        await browser.OpenAsync(path);
        return browser;
    }

    /// <summary>A browser of nobody, which opened nothing yet.</summary>
    public static Browser Of(ControlPlane host) => new(host.Client(host.Portal));

    /// <summary>Opens a page that has a form, and returns what it shows.</summary>
    public async Task<string> OpenAsync(string path)
    {
        using var page = await GetAsync(path);
        var text = await page.Content.ReadAsStringAsync();
        Forgery = ForgeryField().Match(text).Groups[1].Value;
        Assert.True(Forgery.Length > 0, $"{path} has no form: {(int)page.StatusCode}");
        return text;
    }

    public string? Cookie(string name) => cookies.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public void Plant(string name, string value) => cookies[name] = value;

    public Task<HttpResponseMessage> SignInAsync(string token, string returnUrl = "/") => SubmitAsync("/signin", new() { ["token"] = token, ["returnUrl"] = returnUrl });

    /// <summary>Posts a form as the page that was opened last does.</summary>
    public Task<HttpResponseMessage> SubmitAsync(string path, Dictionary<string, string> form) => PostAsync(path, new(form) { ["__RequestVerificationToken"] = Forgery });

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>Opens an address without waiting for its end, which a stream has not.</summary>
    public Task<HttpResponseMessage> BeginAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead);

    /// <summary>Posts just these fields, as a page of another site can.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, Dictionary<string, string> form) => SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) });

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        var response = await client.SendAsync(request, until);
        foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
        {
            var pair = cookie.Split(';')[0].Split('=', 2);
            cookies[pair[0]] = pair[1];
        }

        return response;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex ForgeryField();
}
