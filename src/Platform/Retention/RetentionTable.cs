using System.Linq.Expressions;
using Microsoft.Extensions.Configuration;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Retention;

/// <summary>
/// The one table of how long what is kept, and why. Modules declare into it; a job purges by it, the docs are written from
/// it, and a test finds every table of the model in it.
/// </summary>
public sealed class RetentionTable
{
    /// <summary>Records deleted in one transaction: short enough that nobody waits for the writer.</summary>
    internal const int BatchSize = 500;

    private const string Section = "Retention";
    private readonly List<RecordClass> classes = [];
    private string module = "";

    private RetentionTable()
    {
    }

    /// <summary>Every class, in the order of declaration.</summary>
    public IReadOnlyList<RecordClass> Classes => classes;

    /// <summary>What the modules declare, with the terms that the section <c>Retention</c> of the configuration sets.</summary>
    /// <param name="modules">The modules.</param>
    /// <param name="configuration">Null: defaults.</param>
    /// <param name="errors">Every mistake in the configuration, as a sentence that says what to change.</param>
    public static RetentionTable Of(IEnumerable<IModule> modules, IConfiguration? configuration, out IReadOnlyList<string> errors)
    {
        ArgumentNullException.ThrowIfNull(modules);
        var table = new RetentionTable();
        foreach (var module in modules)
        {
            table.module = module.Name;
            SharedRecords.Declare(table, module.Name);
            module.DeclareRetention(table);
        }

        errors = configuration is null ? [] : [.. table.Configure(configuration.GetSection(Section))];
        return table;
    }

    /// <summary>Records that end by age.</summary>
    /// <typeparam name="T">The entity; when it has a <c>CustomerId</c>, a legal hold keeps its rows.</typeparam>
    /// <param name="name">Name within the module, singular: <c>event</c>.</param>
    /// <param name="purpose">What the records are for.</param>
    /// <param name="personal">Whether they can point to a person.</param>
    /// <param name="term">Default and bounds.</param>
    /// <param name="since">From when the term counts, in words: <c>after it came in</c>.</param>
    /// <param name="instant">The same as a column, which needs an index of its own; a row without a value is kept.</param>
    /// <param name="when">Rows that may be purged at all; null: every one.</param>
    public void Purge<T>(string name, string purpose, bool personal, Term term, string since, Expression<Func<T, DateTimeOffset?>> instant, Expression<Func<T, bool>>? when = null)
        where T : class =>
        Purge($"{module}.{name}", typeof(T).FullName!, static db => db.Set<T>(), purpose, personal, term, since, instant, when);

    /// <summary>Records that age alone never ends.</summary>
    /// <param name="name">Name within the module, singular.</param>
    /// <param name="purpose">What the records are for.</param>
    /// <param name="personal">Whether they can point to a person.</param>
    /// <param name="until">Until when they are kept, in words.</param>
    /// <param name="entities">The entities that hold them.</param>
    public void Keep(string name, string purpose, bool personal, string until, params Type[] entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        classes.Add(new RecordClass(module, $"{module}.{name}", purpose, personal, until, [.. entities.Select(entity => entity.FullName!)]));
    }

    /// <summary>Tables that every module has; one name and one setting for all of them.</summary>
    internal void PurgeShared<T>(
        string name, string entity, Func<ControlPlaneDbContext, IQueryable<T>> rows, string purpose, Term term, string since, Expression<Func<T, DateTimeOffset?>> instant, Expression<Func<T, bool>>? when = null)
        where T : class =>
        Purge($"platform.{name}", entity, rows, purpose, personal: false, term, since, instant, when);

    /// <summary>Tables that every module has, and age alone never empties.</summary>
    internal void KeepShared(string name, string entity, string purpose, string until) => classes.Add(new RecordClass(module, $"platform.{name}", purpose, false, until, [entity]));

    private void Purge<T>(
        string name, string entity, Func<ControlPlaneDbContext, IQueryable<T>> rows, string purpose, bool personal, Term term, string since, Expression<Func<T, DateTimeOffset?>> instant, Expression<Func<T, bool>>? when)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(term);
        ArgumentNullException.ThrowIfNull(instant);
        var due = new DueRows<T>(rows, instant, when);
        classes.Add(new RecordClass(module, name, purpose, personal, since, [entity])
        {
            Term = term,
            KeepFor = term.Default,
            IsOfCustomers = DueRows<T>.IsOfCustomers,
            IsDueAsync = due.AnyAsync,
            PurgeBatchAsync = due.DeleteBatchAsync,
        });
    }

    private IEnumerable<string> Configure(IConfigurationSection section)
    {
        foreach (var setting in section.GetChildren())
        {
            var named = classes.Where(one => one.Name == setting.Key && one.Term is not null).ToList();
            if (named.Count == 0)
            {
                yield return $"{Section}:{setting.Key}: there is no such class of records with a term. Choose from: {string.Join(", ", classes.Where(one => one.Term is not null).Select(one => one.Name).Distinct())}.";
                continue;
            }

            var term = named[0].Term!;
            if (Term.Parse(setting.Value) is not { } keep || keep < term.Minimum || keep > term.Maximum)
            {
                yield return $"{Section}:{setting.Key}: '{setting.Value}' must be a number with d, h or m, between {Term.Write(term.Minimum)} and {Term.Write(term.Maximum)}.";
                continue;
            }

            named.ForEach(one => one.KeepFor = keep);
        }
    }
}
