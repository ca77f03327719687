using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Programs;

/// <summary>That somebody answered for a service account, and until when. Whoever did a moment ago grants it nothing that takes two people: else one would give the account away, grant, and take it back.</summary>
internal sealed class FormerOwner
{
    public required Guid AccountId { get; init; }

    public required Guid PersonId { get; init; }

    public required DateTimeOffset Until { get; init; }

    /// <summary>Who answered for an account as lately as what is asked for it lives.</summary>
    public static async Task<IReadOnlyList<Guid>> OfAsync(ControlPlaneDbContext db, Guid account, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - ScopeRequest.Life;
        return await db.Set<FormerOwner>().Where(row => row.AccountId == account && row.Until > since).Select(row => row.PersonId).Distinct().ToListAsync(cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<FormerOwner>
    {
        public void Configure(EntityTypeBuilder<FormerOwner> builder) => builder.ToTable("identity_former_owner").HasKey(row => new { row.AccountId, row.PersonId, row.Until });
    }
}
