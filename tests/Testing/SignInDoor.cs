using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace MissionControl.Testing;

/// <summary>Where somebody signs in, and by which clock.</summary>
/// <param name="Client">Makes a client with a bearer, and with what sees every request before it is sent.</param>
/// <param name="Time">The clock of the installation.</param>
/// <param name="Portal">The portal's address as the installation knows it.</param>
public sealed record SignInDoor(Func<string?, DelegatingHandler?, HttpClient> Client, TimeProvider Time, Func<Uri> Portal)
{
    /// <summary>The door of a host in this process.</summary>
    public static SignInDoor Of(ControlPlane host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new SignInDoor((bearer, before) => host.Client(host.Portal, bearer, before), host.Time, () => new Uri(host.Services.GetRequiredService<IConfiguration>()["Identity:PortalAddress"]!));
    }
}
