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
    /// <summary>Addresses of one token that are told apart; the rest is counted together.</summary>
    public const int MostAddresses = 1000;

    public async Task HandleAsync(NoteTokenUses message, MessageContext context, CancellationToken cancellationToken)
    {
        var ids = message.Uses.Select(use => use.TokenId).Distinct().ToList();
        var addresses = message.Uses.Select(use => use.Address).Append(NoteTokenUses.Others).Distinct().ToList();
        var rows = await db.Set<UsedToken>().Where(row => ids.Contains(row.TokenId) && addresses.Contains(row.Address)).ToDictionaryAsync(row => (row.TokenId, row.Address), cancellationToken);
        var counts = await db.Set<UsedToken>().Where(row => ids.Contains(row.TokenId)).GroupBy(row => row.TokenId).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
        foreach (var use in message.Uses)
        {
            var address = rows.ContainsKey((use.TokenId, use.Address)) || counts.GetValueOrDefault(use.TokenId) < MostAddresses ? use.Address : NoteTokenUses.Others;
            if (!rows.TryGetValue((use.TokenId, address), out var row))
            {
                counts[use.TokenId] = counts.GetValueOrDefault(use.TokenId) + 1;
                rows[(use.TokenId, address)] = row = new UsedToken { TokenId = use.TokenId, Address = address, FirstAt = use.FirstAt, LastAt = use.LastAt };
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
