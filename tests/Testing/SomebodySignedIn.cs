using System.Buffers.Binary;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Testing;

/// <summary>A person with password, authenticator and passkey, as tests sign it in; codes are computed here as an authenticator computes them.</summary>
public sealed class SomebodySignedIn(SignInDoor door, string email)
{
    /// <summary>Somebody of a host in this process.</summary>
    public SomebodySignedIn(ControlPlane host, string email)
        : this(SignInDoor.Of(host), email)
    {
    }

    /// <summary>What everybody's password is.</summary>
    public const string Password = "four words that do not belong";

    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The mail address.</summary>
    public string Email => email;

    /// <summary>The authenticator's secret.</summary>
    public string Secret { get; set; } = "";

    /// <summary>The passkey; it lives as long as the test.</summary>
    public SoftPasskey Passkey { get; } = new();

    /// <summary>The session's secret.</summary>
    public string Session { get; set; } = "";

    /// <summary>Codes in place of the authenticator.</summary>
    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    /// <summary>Accepts an invitation.</summary>
    public static Task<SomebodySignedIn> AcceptAsync(ControlPlane host, string code, string email, string name = "Somebody") => AcceptAsync(SignInDoor.Of(host), SignInDoor.Of(host), code, email, name);

    /// <summary>Opens an invitation at one door, and accepts it at another one of the same installation, where it signs in from then on.</summary>
    public static async Task<SomebodySignedIn> AcceptAsync(SignInDoor first, SignInDoor door, string code, string email, string name = "Somebody")
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(door);
        var somebody = new SomebodySignedIn(door, email);
        using var stranger = first.Client(null, null);
        using var anonymous = door.Client(null, null);
        using var open = await stranger.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(code));
        var opened = (await open.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<OpenedInvitation>())!;
        somebody.Secret = opened.TotpSecret;
        somebody.Passkey.Domain = opened.Passkey.Options["rp"]!["id"]!.GetValue<string>();
        if (somebody.Passkey.Domain != "localhost")
        {
            somebody.Passkey.Origin = door.Portal().GetLeftPart(UriPartial.Authority);
        }

        using var accept = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/accept", new AcceptInvitationRequest(code, Password, somebody.Code(), opened.Email is null ? email : null, opened.Name is null ? name : null,
            Passkey: new NewPasskeyRequest(opened.Passkey.Challenge, somebody.Passkey.Create(opened.Passkey.Options), "test key")));
        var accepted = (await accept.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AcceptedInvitation>())!;
        (somebody.Session, somebody.RecoveryCodes) = (accepted.Session, accepted.RecoveryCodes);
        return somebody;
    }

    /// <summary>What accepting an invitation is answered, which may be good no more.</summary>
    public static async Task<System.Net.HttpStatusCode> TryAcceptAsync(ControlPlane host, string code)
    {
        using var anonymous = host.Client(host.Portal);
        using var open = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(code));
        if (!open.IsSuccessStatusCode)
        {
            return open.StatusCode;
        }

        var somebody = new SomebodySignedIn(host, "somebody@vendor.example") { Secret = (await open.Content.ReadFromJsonAsync<OpenedInvitation>())!.TotpSecret };
        using var accept = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/accept", new AcceptInvitationRequest(code, Password, somebody.Code()));
        return accept.StatusCode;
    }

    /// <summary>Invites somebody as the bootstrap token, and accepts.</summary>
    public static async Task<SomebodySignedIn> InviteAsync(ControlPlane host, string email, string role, Guid? customer = null) =>
        await AcceptAsync(host, (await InvitedAsync(host.Admin, email, role, customer)).Code!, email);

    /// <summary>The same as a person, for when the bootstrap token is revoked.</summary>
    public static async Task<SomebodySignedIn> InviteByAsync(ControlPlane host, SomebodySignedIn by, string email, string role, Guid? customer = null)
    {
        using var api = await by.ApiAsync();
        return await AcceptAsync(host, (await InvitedAsync(api, email, role, customer)).Code!, email);
    }

    /// <summary>Invites somebody.</summary>
    public static async Task<CreatedInvitation> InvitedAsync(HttpClient by, string email, string role, Guid? customer = null)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest(email, email.Split('@')[0], [role], customer));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedInvitation>())!;
    }

    /// <summary>What the authenticator shows, so many steps from now.</summary>
    public string Code(int away = 0)
    {
        var key = new byte[Secret.Length * 5 / 8];
        int buffer = 0, bits = 0, at = 0;
        foreach (var letter in Secret)
        {
            buffer = (buffer << 5) | Base32.IndexOf(letter, StringComparison.Ordinal);
            bits += 5;
            if (bits >= 8)
            {
                bits -= 8;
                key[at++] = (byte)(buffer >> bits);
            }
        }

        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, (door.Time.GetUtcNow().ToUnixTimeSeconds() / 30) + away);
#pragma warning disable CA5350 // RFC 6238.
        var hash = HMACSHA1.HashData(key, counter);
#pragma warning restore CA5350
        return ((BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(hash[^1] & 15, 4)) & 0x7fff_ffff) % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>Has a program of somebody's ask for a confirmation in the portal: it wants a token of theirs.</summary>
    public static async Task<ConfirmationItem> AskedInPortalAsync(HttpClient api)
    {
        ArgumentNullException.ThrowIfNull(api);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/identity/tokens", UriKind.Relative)) { Content = JsonContent.Create(new CreateTokenRequest("of a program", ["fleet:read"], Networks: ["127.0.0.0/8"])) };
        request.Headers.Add(StepUp.AskHeader, StepUp.InPortal);
        using var answer = await api.SendAsync(request);
        var id = (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!.Confirmation!.Value;
        ConfirmationItem? asked = null;
        await Eventually.TrueAsync(async () => (asked = await api.GetFromJsonAsync<ConfirmationItem>($"/api/v1/identity/me/confirmations/{id}")) is not null, "the role's question is there");
        return asked!;
    }

    /// <summary>Tries to sign in.</summary>
    public async Task<HttpResponseMessage> TryAsync(string? password = null, string? code = null)
    {
        using var anonymous = door.Client(null, null);
        return await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in", new SignInRequest(Email, password ?? Password, code ?? Code(), "a test"));
    }

    /// <summary>What the session is worth now; null: it has ended.</summary>
    public async Task<TradedSession?> TradeAsync(bool isActive = true)
    {
        using var anonymous = door.Client(null, null);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(Session, isActive));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<TradedSession>() : null;
    }

    /// <summary>The API as this person, once identity's roles know of it.</summary>
    /// <param name="confirms">Whether it confirms with the passkey whatever is to be confirmed.</param>
    public async Task<HttpClient> ApiAsync(bool confirms = true)
    {
        var client = door.Client((await TradeAsync())!.AccessToken, confirms ? new Confirming(Passkey) : null);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative))).IsSuccessStatusCode, $"{Email} is known");
        return client;
    }
}
