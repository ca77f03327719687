using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Passkeys;

/// <summary>What the framework's passkey handler asks of people and their keys. It reads only: what is written belongs in the transaction of the use case.</summary>
/// <param name="db">Where they are.</param>
/// <param name="confirmsAt">Only passkeys that are good for step-up by then; null: all.</param>
internal sealed class PasskeyStore(ControlPlaneDbContext db, DateTimeOffset? confirmsAt) : IUserPasskeyStore<Person>
{
    public Task<string> GetUserIdAsync(Person user, CancellationToken cancellationToken) => Task.FromResult(IdOf(user.Id));

    public async Task<Person?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Guid.TryParseExact(userId, "N", out var id) ? await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) : null;

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Person user, CancellationToken cancellationToken) =>
        [.. (await Good().Where(row => row.PersonId == user.Id).ToListAsync(cancellationToken)).Select(row => row.ToInfo())];

    public async Task<Person?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await (from key in db.Set<Passkey>() join person in db.Set<Person>() on key.PersonId equals person.Id where key.CredentialId == credentialId select person).AsNoTracking().SingleOrDefaultAsync(cancellationToken);

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) =>
        (await Good().SingleOrDefaultAsync(row => row.PersonId == user.Id && row.CredentialId == credentialId, cancellationToken))?.ToInfo();

    /// <summary>What an authenticator calls a person by.</summary>
    public static string IdOf(Guid personId) => personId.ToString("N");

    public void Dispose()
    {
    }

    public Task AddOrUpdatePasskeyAsync(Person user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task RemovePasskeyAsync(Person user, byte[] credentialId, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<string?> GetUserNameAsync(Person user, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task SetUserNameAsync(Person user, string? userName, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<string?> GetNormalizedUserNameAsync(Person user, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task SetNormalizedUserNameAsync(Person user, string? normalizedName, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<IdentityResult> CreateAsync(Person user, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<IdentityResult> UpdateAsync(Person user, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<IdentityResult> DeleteAsync(Person user, CancellationToken cancellationToken) => throw ReadsOnly();

    public Task<Person?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw ReadsOnly();

    private IQueryable<Passkey> Good() => db.Set<Passkey>().AsNoTracking().Where(row => confirmsAt == null || row.ConfirmsFrom <= confirmsAt);

    private static NotSupportedException ReadsOnly() => new("The framework's handler reads people and passkeys, and nothing else.");
}
