using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Factors;

/// <summary>Checks and makes second factors. Whatever proves something is used up in the transaction of what it permits, by one conditional update.</summary>
internal sealed partial class FactorBook(DataDirectory data, TimeProvider time, ILogger<FactorBook> logger)
{
    public const string KeyFile = "keys/factor-sealing.key";
    private const int RecoveryCodes = 10;
    private const int RecoveryBytes = 10;

    private readonly SecretSeal seal = new(data.PathOf(KeyFile), "missioncontrol authenticator v1", time);

    /// <summary>A new authenticator, not in use before it is confirmed.</summary>
    public Authenticator Begin(Guid personId, byte[] secret) => New(personId, secret, 0, null, default);

    /// <summary>A new authenticator that has shown what it must.</summary>
    public Authenticator New(Guid personId, byte[] secret, long lastStep, DateTimeOffset confirmsFrom) => New(personId, secret, lastStep, time.GetUtcNow(), confirmsFrom);

    private Authenticator New(Guid personId, byte[] secret, long lastStep, DateTimeOffset? confirmedAt, DateTimeOffset confirmsFrom)
    {
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        return new Authenticator { Id = id, PersonId = personId, Secret = Seal(id, secret), LastStep = lastStep, CreatedAt = now, ConfirmedAt = confirmedAt, ConfirmsFrom = confirmsFrom };
    }

    public byte[] Seal(Guid place, byte[] secret) => seal.Seal(secret, place.ToString("N"));

    /// <summary>What was sealed for a row; null when no key here opens it: then there is no such factor, and whoever has another one can use that.</summary>
    public byte[]? TryOpen(Guid place, byte[] box)
    {
        try
        {
            return seal.Open(box, place.ToString("N"));
        }
        catch (CryptographicException)
        {
            LogUnopened(logger, KeyFile, place);
            return null;
        }
    }

    /// <summary>
    /// Uses up what an authenticator shows, or a recovery code, within the open transaction.
    /// </summary>
    /// <returns>How it was proved, as RFC 8176 calls it: <c>otp</c>, or <c>recovery</c>; null: not at all.</returns>
    public async Task<string?> ProveAsync(ControlPlaneDbContext db, Guid personId, string code, bool acceptsRecovery, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var plain = Normal(code);
        if (await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(row => row.PersonId == personId && row.ConfirmedAt != null, cancellationToken) is { } device
            && TryOpen(device.Id, device.Secret) is { } secret && Totp.StepOf(secret, plain, now) is { } step)
        {
            // Of many that bring the same code at once one finds the row as it must be.
            return await db.Set<Authenticator>().Where(row => row.Id == device.Id && row.LastStep < step)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.LastStep, step).SetProperty(row => row.LastUsedAt, now), cancellationToken) == 1 ? "otp" : null;
        }

        if (!acceptsRecovery)
        {
            return null;
        }

        var sha256 = SHA256.HashData(Encoding.UTF8.GetBytes(plain));
        return await db.Set<RecoveryCode>().Where(row => row.PersonId == personId && row.Sha256 == sha256 && row.UsedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, now), cancellationToken) == 1 ? "recovery" : null;
    }

    /// <summary>New recovery codes in place of those before, within the open transaction; they are read here and never again.</summary>
    public async Task<IReadOnlyList<string>> RenewRecoveryCodesAsync(ControlPlaneDbContext db, Guid personId, CancellationToken cancellationToken)
    {
        await db.Set<RecoveryCode>().Where(row => row.PersonId == personId).ExecuteDeleteAsync(cancellationToken);
        var codes = Enumerable.Range(0, RecoveryCodes).Select(_ => Totp.Base32(RandomNumberGenerator.GetBytes(RecoveryBytes))).ToList();
        db.AddRange(codes.Select(code => new RecoveryCode { PersonId = personId, Sha256 = SHA256.HashData(Encoding.UTF8.GetBytes(code)), CreatedAt = time.GetUtcNow() }));
        return codes.ConvertAll(code => string.Join('-', code.Chunk(4).Select(part => new string(part))));
    }

    [LoggerMessage(2003, LogLevel.Error, "No key beside {File} opens the authenticator {Id}: its codes are worth nothing")]
    private static partial void LogUnopened(ILogger logger, string file, Guid id);

    // As people type them: with gaps, dashes and small letters.
    private static string Normal(string code) => new([.. code.Where(char.IsAsciiLetterOrDigit).Select(char.ToUpperInvariant)]);
}
