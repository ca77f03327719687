using Microsoft.Playwright;
using MissionControl.Testing;

namespace MissionControl.Portal.Tests;

/// <summary>An authenticator of a window's browser (WebAuthn of the DevTools protocol): one that is built in, and asks for a finger.</summary>
public sealed class Authenticator
{
    private readonly ICDPSession tools;
    private readonly string id;

    private Authenticator(ICDPSession tools, string id) => (this.tools, this.id) = (tools, id);

    /// <summary>Gives a window one.</summary>
    /// <param name="window">The window.</param>
    /// <param name="passkey">A passkey that it holds already.</param>
    public static async Task<Authenticator> AddAsync(Window window, SoftPasskey? passkey = null)
    {
        var tools = await window.Page.Context.NewCDPSessionAsync(window.Page);
        await tools.SendAsync("WebAuthn.enable");
        var added = await tools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
        var id = added!.Value.GetProperty("authenticatorId").GetString()!;
        if (passkey is not null)
        {
            await tools.SendAsync("WebAuthn.addCredential", new Dictionary<string, object>
            {
                ["authenticatorId"] = id,
                ["credential"] = new Dictionary<string, object>
                {
                    ["credentialId"] = Convert.ToBase64String(passkey.Id), ["isResidentCredential"] = true, ["rpId"] = passkey.Domain, ["privateKey"] = Convert.ToBase64String(passkey.PrivateKey()), ["userHandle"] = Convert.ToBase64String(passkey.OwnerId()), ["signCount"] = 0,
                },
            });
        }

        return new Authenticator(tools, id);
    }

    /// <summary>Says whether the finger is its owner's.</summary>
    public Task VerifiedAsync(bool isVerified) => tools.SendAsync("WebAuthn.setUserVerified", new Dictionary<string, object> { ["authenticatorId"] = id, ["isUserVerified"] = isVerified });

    /// <summary>Loses it.</summary>
    public Task RemoveAsync() => tools.SendAsync("WebAuthn.removeVirtualAuthenticator", new Dictionary<string, object> { ["authenticatorId"] = id });
}
