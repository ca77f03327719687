using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using MissionControl.Catalog;
using MissionControl.Platform.Data;

namespace MissionControl.Architecture.Tests;

/// <summary>The one model: whose table is whose, and that every provider's migrations make exactly it.</summary>
public sealed class ModelTests
{
    private static readonly Type[] Factories = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "MissionControl.*.dll")
        .Select(file => Assembly.Load(new AssemblyName(Path.GetFileNameWithoutExtension(file))))
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type is { IsClass: true, IsAbstract: false } && typeof(IDesignTimeDbContextFactory<ControlPlaneDbContext>).IsAssignableFrom(type))];

    public static TheoryData<string> Providers => [.. Factories.Select(type => type.Namespace!)];

    [Theory]
    [MemberData(nameof(Providers))]
    public void The_migrations_make_the_model(string provider)
    {
        using var db = Open(provider);

        Assert.NotEmpty(db.Database.GetMigrations());
        Assert.False(db.Database.HasPendingModelChanges(), "The model changed: infra/dev migration NAME.");
    }

    [Fact]
    public void Every_provider_has_the_same_migrations()
    {
        var chains = Factories.Select(type =>
        {
            using var db = Open(type.Namespace!);
            return string.Join(", ", db.Database.GetMigrations().Select(id => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..]));
        });

        Assert.Single(chains.Distinct());
    }

    [Fact]
    public void A_table_carries_the_name_of_the_module_that_owns_its_entity()
    {
        using var db = Open(Factories[0].Namespace!);
        var owners = ModuleList.All.ToDictionary(module => module.GetType().Assembly, module => module.Name);

        var misplaced = db.Model.GetEntityTypes().Where(entity => !ModuleList.All.Any(module => IsTableOf(module.Name, entity.GetTableName())
            && (!owners.TryGetValue(entity.ClrType.Assembly, out var owner) || owner == module.Name)));

        Assert.Empty(misplaced.Select(entity => $"{entity.ClrType.Name} → {entity.GetTableName()}"));
    }

    [Fact]
    public void No_foreign_key_leads_from_one_module_to_another()
    {
        using var db = Open(Factories[0].Namespace!);

        var crossings = db.Model.GetEntityTypes().SelectMany(entity => entity.GetForeignKeys())
            .Where(key => key.DeclaringEntityType.ClrType.Assembly != key.PrincipalEntityType.ClrType.Assembly)
            .Select(key => $"{key.DeclaringEntityType.GetTableName()} → {key.PrincipalEntityType.GetTableName()}");

        Assert.Empty(crossings);
    }

    [Fact]
    public void Entities_of_modules_are_internal()
    {
        using var db = Open(Factories[0].Namespace!);

        Assert.DoesNotContain(db.Model.GetEntityTypes().Select(entity => entity.ClrType),
            type => type.IsVisible && ModuleList.All.Any(module => module.GetType().Assembly == type.Assembly));
    }

    /// <summary>The model, whichever provider it is for.</summary>
    internal static ControlPlaneDbContext OpenAny() => Open(Factories[0].Namespace!);

    private static bool IsTableOf(string module, string? table) => table?.StartsWith(module + "_", StringComparison.Ordinal) == true;

    private static ControlPlaneDbContext Open(string provider) =>
        ((IDesignTimeDbContextFactory<ControlPlaneDbContext>)Activator.CreateInstance(Factories.Single(type => type.Namespace == provider), nonPublic: true)!).CreateDbContext([]);
}
