using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Groups;

/// <summary>
/// People of one owner, the vendor or one customer, and the roles that they hold through it. One that was removed stays as a row, under
/// no name that anybody could want: the history of roles says through what each was held.
/// </summary>
internal sealed class Group
{
    /// <summary>Of one owner.</summary>
    public const int Most = 200;

    /// <summary>In one group.</summary>
    public const int MostMembers = 500;

    public required Guid Id { get; init; }

    /// <summary>The owner; null: the vendor.</summary>
    public Guid? CustomerId { get; init; }

    public required string Name { get; set; }

    /// <summary>What makes the name the owner's only one. Null owners are equal to each other on one engine and not on the next, so it is a text.</summary>
    public required string NameKey { get; set; }

    public required string Description { get; set; }

    /// <summary>Separated by spaces.</summary>
    public required string Roles { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RemovedAt { get; private set; }

    public long Version { get; private set; } = 1;

    /// <summary>Whom it holds.</summary>
    public string Kind => KindOf(CustomerId);

    public static string KindOf(Guid? customerId) => customerId is null ? Person.Staff : Person.CustomerUser;

    public static string KeyOf(Guid? customerId, string name) => $"{customerId?.ToString("N") ?? "vendor"}/{name.ToUpperInvariant()}";

    public IReadOnlyList<string> RoleList() => Roles.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public void Set(string name, string description, IEnumerable<string> roles)
    {
        (Name, NameKey, Description, Roles) = (name, KeyOf(CustomerId, name), description, string.Join(' ', roles));
        Version++;
    }

    public void Remove(DateTimeOffset now)
    {
        (RemovedAt, NameKey) = (now, Id.ToString("N"));
        Version++;
    }

    /// <summary>Why a reader may not change it, whoever is in it; null: it may. Else whoever may write would prepare what somebody with more rights then hands out.</summary>
    public string? Hindrance(ClaimsPrincipal reader) =>
        Scopes.Lacking(reader, PeopleApi.Right) ?? (PeopleApi.Beyond(reader, RoleList()) is null ? null : "This group gives what you may not do.");

    public GroupItem ToItem(ClaimsPrincipal reader, int members) =>
        new(Id, Name, Description, Kind, CustomerId, RoleList(), members, CreatedAt, Version, [AllowedAction.Of("change", Hindrance(reader)), AllowedAction.Of("remove", Hindrance(reader))]);

    /// <summary>Where what happens to it is told.</summary>
    public AuditFact Fact(string type) => new(type, CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "group", Id.ToString()) { CustomerId = CustomerId };

    internal sealed class Configuration : IEntityTypeConfiguration<Group>
    {
        public void Configure(EntityTypeBuilder<Group> builder)
        {
            builder.ToTable("identity_group").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.NameKey).HasMaxLength(140);
            builder.Property(row => row.Description).HasMaxLength(500);
            builder.Property(row => row.Roles).HasMaxLength(500);
            builder.HasIndex(row => row.NameKey).IsUnique();
            builder.HasIndex(row => row.CustomerId);
            builder.Ignore(row => row.Kind);
        }
    }
}

/// <summary>Somebody in a group. Since when it holds what is not told here, but by its roles.</summary>
internal sealed class GroupMember
{
    public required Guid GroupId { get; init; }

    public required Guid PersonId { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<GroupMember>
    {
        public void Configure(EntityTypeBuilder<GroupMember> builder) => builder.ToTable("identity_group_member").HasKey(row => new { row.GroupId, row.PersonId });
    }
}
