using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Leaks;

/// <summary>That an API token was used from an address, or that somebody tried: only the right secret counts.</summary>
internal sealed class UsedToken
{
    public required string TokenId { get; init; }

    public required string Address { get; init; }

    public required DateTimeOffset FirstAt { get; set; }

    public required DateTimeOffset LastAt { get; set; }

    /// <summary>How often it was let in.</summary>
    public long Accepted { get; set; }

    /// <summary>How often it was not: it was worth nothing any more, or came from a network it is not bound to.</summary>
    public long Refused { get; set; }

    public long Version { get; set; } = 1;

    internal sealed class Configuration : IEntityTypeConfiguration<UsedToken>
    {
        public void Configure(EntityTypeBuilder<UsedToken> builder)
        {
            builder.ToTable("identity_used_token").HasKey(row => new { row.TokenId, row.Address });
            builder.Property(row => row.TokenId).HasMaxLength(12);
            builder.Property(row => row.Address).HasMaxLength(60);
            builder.HasIndex(row => row.LastAt);
        }
    }
}

/// <summary>Adds what the roles saw of tokens. Sums and extremes, so that neither order nor time of the messages matters.</summary>
internal sealed class AddTokenUses(ControlPlaneDbContext db) : IMessageHandler<NoteTokenUses>
{
    /// <summary>Addresses that are kept of one token: whoever spreads a stolen one over a whole network of machines fills no database.</summary>
    private const int MostAddresses = 1000;

    public async Task HandleAsync(NoteTokenUses message, MessageContext context, CancellationToken cancellationToken)
    {
        var ids = message.Uses.Select(use => use.TokenId).Distinct().ToList();
        var addresses = message.Uses.Select(use => use.Address).Distinct().ToList();
        var rows = await db.Set<UsedToken>().Where(row => ids.Contains(row.TokenId) && addresses.Contains(row.Address)).ToDictionaryAsync(row => (row.TokenId, row.Address), cancellationToken);
        var counts = await db.Set<UsedToken>().Where(row => ids.Contains(row.TokenId)).GroupBy(row => row.TokenId).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
        foreach (var use in message.Uses)
        {
            if (!rows.TryGetValue((use.TokenId, use.Address), out var row))
            {
                if (counts.GetValueOrDefault(use.TokenId) >= MostAddresses)
                {
                    continue;
                }

                counts[use.TokenId] = counts.GetValueOrDefault(use.TokenId) + 1;
                rows[(use.TokenId, use.Address)] = row = new UsedToken { TokenId = use.TokenId, Address = use.Address, FirstAt = use.FirstAt, LastAt = use.LastAt };
                db.Add(row);
            }

            row.FirstAt = use.FirstAt < row.FirstAt ? use.FirstAt : row.FirstAt;
            row.LastAt = use.LastAt > row.LastAt ? use.LastAt : row.LastAt;
            row.Accepted += use.Accepted;
            row.Refused += use.Refused;
            row.Version++;
        }
    }
}
