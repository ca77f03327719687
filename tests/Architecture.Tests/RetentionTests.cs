using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using MissionControl.Catalog;
using MissionControl.Platform.Retention;

namespace MissionControl.Architecture.Tests;

/// <summary>The retention table: complete, bounded, and the page that people read.</summary>
public sealed class RetentionTests
{
    private readonly RetentionTable table = RetentionTable.Of(ModuleList.All, null, out _);

    [Fact]
    public void Every_table_of_the_model_belongs_to_one_class_of_records()
    {
        using var db = ModelTests.OpenAny();
        var declared = table.Classes.SelectMany(one => one.Entities).ToList();

        Assert.Empty(db.Model.GetEntityTypes().Select(entity => entity.Name).Except(declared).Select(name => $"{name}: say in the module's DeclareRetention how long its rows are kept, and why"));
        Assert.Equal(declared.Count, declared.Distinct().Count());
        Assert.Empty(declared.Except(db.Model.GetEntityTypes().Select(entity => entity.Name)));
    }

    [Fact]
    public void A_purge_finds_its_rows_by_an_index()
    {
        using var db = ModelTests.OpenAny();
        var purged = table.Classes.Where(one => one.Term is not null).Select(one => db.Model.FindEntityType(one.Entities.Single())!);

        Assert.Empty(purged.Where(entity => !entity.GetIndexes().Any(index => index.Properties.Count == 1 && (Nullable.GetUnderlyingType(index.Properties[0].ClrType) ?? index.Properties[0].ClrType) == typeof(DateTimeOffset)))
            .Select(entity => $"{entity.Name} needs an index on the instant it is purged by"));
    }

    [Fact]
    public void The_defaults_lie_within_their_bounds() =>
        Assert.All(table.Classes.Where(one => one.Term is not null), one => Assert.True(one.Term!.Minimum <= one.Term.Default && one.Term.Default <= one.Term.Maximum, one.Name));

    [Fact]
    public void A_term_out_of_bounds_and_a_class_that_does_not_exist_are_named_together()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Retention:fleet.event"] = "3d",
            ["Retention:fleet.evnt"] = "400d",
            ["Retention:platform.inbox"] = "45d",
            ["Retention:licensing.ledger"] = "1d",
        }).Build();

        var configured = RetentionTable.Of(ModuleList.All, configuration, out var errors);

        Assert.Equal(3, errors.Count);
        Assert.Contains(errors, error => error.StartsWith("Retention:fleet.event: '3d' must be", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("Retention:fleet.evnt: there is no such class", StringComparison.Ordinal));
        Assert.All(configured.Classes.Where(one => one.Name == "platform.inbox"), one => Assert.Equal(TimeSpan.FromDays(45), one.KeepFor));
    }

    [Fact]
    public void The_page_of_retention_is_what_the_code_keeps()
    {
        var text = new StringBuilder("""
            # Retention

            Every class of records Mission Control stores: what for, whether it can point to a person, and when it goes. A term is changed by the setting `Retention:<class>`, for example `Retention:fleet.event = 200d`, within its bounds. What is due is deleted in small batches, and each purge leaves an entry with the count in the audit log (`<role>.records-purged`). While a customer is under a legal hold (`POST /api/v1/licensing/customers/{id}/legal-hold`) none of its records is purged. Classes that begin with `platform.` exist in every role.

            Written from the code by `infra/dev docs`.

            | class | purpose | personal | kept | from, or until | bounds |
            | --- | --- | --- | --- | --- | --- |

            """);
        foreach (var one in table.Classes.DistinctBy(one => one.Name).OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            var bounds = one.Term is not { } term ? "" : term.Minimum == term.Maximum ? "fixed" : $"{Term.Write(term.Minimum)} to {Term.Write(term.Maximum)}";
            text.Append("| `").Append(one.Name).Append("` | ").Append(one.Purpose).Append(" | ").Append(one.IsPersonal ? "yes" : "no").Append(" | ")
                .Append(one.Term is null ? "" : Term.Write(one.Term.Default)).Append(" | ").Append(one.Rule).Append(" | ").Append(bounds).Append(" |\n");
        }

        GoldenFile.Check("docs/api/retention.md", text.ToString());
    }
}
