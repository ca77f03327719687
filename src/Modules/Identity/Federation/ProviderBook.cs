using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>Finds providers, staff's in the configuration and customers' in the database, and seals the secrets of the latter.</summary>
internal sealed class ProviderBook(IOptions<IdentityOptions> options, DataDirectory data, TimeProvider time)
{
    private readonly SecretSeal seal = new(data.PathOf("keys/provider-sealing.key"), "missioncontrol provider-secrets v1", time);

    /// <summary>Where providers send browsers back to; null: the installation does not know its own address, and nobody can be sent anywhere.</summary>
    public Uri? PortalAddress => options.Value.PortalAddress;

    /// <summary>Those on the sign-in page.</summary>
    public IReadOnlyList<StaffProviderOptions> Staffs => options.Value.Providers;

    /// <summary>Whether anything but a password or a passkey signs staff in.</summary>
    public bool SignsStaffIn => Staffs.Count + options.Value.Directories.Count > 0;

    /// <summary>Its own address for each provider: an answer of one is never taken for another's (RFC 9700, 4.4.2).</summary>
    public string RedirectUriOf(Provider provider) => new Uri(PortalAddress!, $"/signin/{provider.Id}/callback").ToString();

    /// <summary>What a response of SAML must be the answer to. Name and address are this provider's alone: an assertion for one is never taken for another's.</summary>
    public SamlExpectation ExpectationOf(Provider provider, string requestId) =>
        new(requestId, new Uri(PortalAddress!, $"/api/v1/identity/federation/{provider.Id}/metadata").ToString(), new Uri(PortalAddress!, $"/signin/{provider.Id}/acs").ToString());

    public async Task<Provider?> FindAsync(ControlPlaneDbContext db, string id, CancellationToken cancellationToken)
    {
        if (Staffs.FirstOrDefault(provider => provider.Id == id) is { } staffs)
        {
            return staffs.ToProvider(time.GetUtcNow());
        }

        return Guid.TryParseExact(id, "D", out var key) && await Opened(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == key, cancellationToken) is { } row ? Open(row) : null;
    }

    /// <summary>By what somebody came whom a provider or a directory signed in.</summary>
    public async Task<string> WayOfAsync(ControlPlaneDbContext db, string id, CancellationToken cancellationToken) =>
        Staffs.FirstOrDefault(provider => provider.Id == id) is { } staffs ? staffs.Kind
        : options.Value.Directories.Any(directory => directory.Id == id) ? "ldap"
        : Guid.TryParseExact(id, "D", out var key) && await Opened(db).AnyAsync(row => row.Id == key && row.Saml != null, cancellationToken) ? "saml" : "openid";

    /// <summary>Whether there is such a provider, also when its secret cannot be opened.</summary>
    public async Task<bool> ExistsAsync(ControlPlaneDbContext db, string id, CancellationToken cancellationToken) =>
        Staffs.Any(provider => provider.Id == id) || (Guid.TryParseExact(id, "D", out var key) && await Opened(db).AnyAsync(row => row.Id == key, cancellationToken));

    // Who signs in is nobody's yet: the provider says whose.
    private static IQueryable<CustomerProvider> Opened(ControlPlaneDbContext db)
    {
        db.Scope.OpenAll("a sign-in knows its customer by the provider alone");
        return db.Set<CustomerProvider>();
    }

    /// <summary>Whether a provider still is as it was read, and stays so until the open transaction ends: nobody is signed in by one that was removed meanwhile.</summary>
    public static async Task<bool> StandsAsync(ControlPlaneDbContext db, Provider provider, CancellationToken cancellationToken)
    {
        if (provider.IsStaffs)
        {
            return true;
        }

        var id = Guid.Parse(provider.Id);
        await LockAsync(db, id, cancellationToken);
        return await db.Set<CustomerProvider>().AnyAsync(row => row.Id == id && row.Version == provider.Version, cancellationToken);
    }

    /// <summary>Keeps everybody else from changing a customer's provider, or signing in by it, until the open transaction ends.</summary>
    public static Task LockAsync(ControlPlaneDbContext db, Guid id, CancellationToken cancellationToken) => db.Dialect.LockRowsAsync(db, "identity_provider", ["id"], [[id]], cancellationToken);

    public byte[]? Seal(Guid id, string? secret) => secret is { Length: > 0 } ? seal.Seal(Encoding.UTF8.GetBytes(secret), id.ToString("N")) : null;

    /// <exception cref="ProviderException">No key here opens its secret.</exception>
    public Provider Open(CustomerProvider row)
    {
        try
        {
            var secret = row.ClientSecret is { } box ? Encoding.UTF8.GetString(seal.Open(box, row.Id.ToString("N"))) : null;
            return new Provider(row.Id.ToString("D"), row.CustomerId, row.Name, row.Issuer, row.ClientId, secret, [.. Provider.Words(row.Scopes)], row.GroupsClaim, row.RoleMap(), [.. Provider.Words(row.RequiredAcr)], [.. Provider.Words(row.RequiredAmr)], row.Version, row.SamlPeer());
        }
        catch (CryptographicException)
        {
            throw new ProviderException("secret-not-readable", "The client's secret was sealed by a key that is not here any more. Set it anew.");
        }
    }
}
