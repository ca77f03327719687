using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Directories;

/// <summary>
/// Wrong passwords of somebody in a directory, whether it has ever been here or not: counted by what it is there, not by what was
/// typed, so that another way to write a name is no other count. While somebody waits the directory is not asked: it has locks of its
/// own, and not many tries an hour reach it from here.
/// </summary>
internal sealed class DirectoryTry
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>The digest of directory and subject.</summary>
    public required byte[] Key { get; init; }

    public required int FailedTries { get; init; }

    public DateTimeOffset? LockedUntil { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public static byte[] KeyOf(string directoryId, string subject) => SHA256.HashData(Encoding.UTF8.GetBytes($"{directoryId} {subject}"));

    /// <summary>Counts a try before it is made; false: none may be made now.</summary>
    public static async Task<bool> CountAsync(ControlPlaneDbContext db, byte[] key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Whoever else counted meanwhile was earlier; nobody loses this more often than there are tries before a lock.
        for (var round = 0; round < 10; round++)
        {
            var found = await db.Set<DirectoryTry>().AsNoTracking().SingleOrDefaultAsync(row => row.Key == key, cancellationToken);
            if (found?.LockedUntil > now)
            {
                return false;
            }

            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            if (found is null)
            {
                if (await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("identity_directory_try", ["key", "failed_tries", "expires_at"], ["key"], [[key, 1, (now + Kept).ToUnixTimeMilliseconds()]]), cancellationToken) == 1)
                {
                    await transaction.CommitAsync(cancellationToken);
                    return true;
                }

                continue;
            }

            // What was wrong long ago makes nobody wait today.
            var (tries, counted) = (found.FailedTries, found.LockedUntil < now - Person.Forgiven ? 1 : found.FailedTries + 1);
            var wait = Person.LockAfter(counted);
            DateTimeOffset? until = wait > TimeSpan.Zero ? now + wait : null;
            if (await db.Set<DirectoryTry>().Where(row => row.Key == key && row.FailedTries == tries && (row.LockedUntil == null || row.LockedUntil <= now))
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, counted).SetProperty(row => row.LockedUntil, until).SetProperty(row => row.ExpiresAt, now + Kept), cancellationToken) == 1)
            {
                await transaction.CommitAsync(cancellationToken);
                return true;
            }
        }

        return false;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<DirectoryTry>
    {
        public void Configure(EntityTypeBuilder<DirectoryTry> builder)
        {
            builder.ToTable("identity_directory_try").HasKey(row => row.Key);
            builder.Property(row => row.Key).HasMaxLength(32);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
