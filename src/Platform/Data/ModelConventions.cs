using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace MissionControl.Platform.Data;

/// <summary>
/// The rules every table follows on every engine: snake_case columns, instants as Unix milliseconds (one representation that
/// orders and compares alike everywhere, ADR 0002), no store-generated values, enums as words, every text bounded, and the
/// customer filter on whatever belongs to a customer.
/// </summary>
internal static class ModelConventions
{
    private static readonly ValueConverter<DateTimeOffset, long> Instant = new(
        instant => instant.ToUnixTimeMilliseconds(), stored => DateTimeOffset.FromUnixTimeMilliseconds(stored));

    public static void Apply(ModelBuilder model, ControlPlaneDbContext context)
    {
        foreach (var entity in model.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
            {
                Apply(entity, property);
                context.Dialect.Configure(property);
            }

            if (typeof(ICustomerOwned).IsAssignableFrom(entity.ClrType))
            {
                Call(nameof(FilterByCustomer), entity.ClrType, model, context);
            }
            else if (typeof(ITenant).IsAssignableFrom(entity.ClrType))
            {
                Call(nameof(FilterTenants), entity.ClrType, model, context);
            }
        }
    }

    private static void Call(string filter, Type entity, ModelBuilder model, ControlPlaneDbContext context) => typeof(ModelConventions)
        .GetMethod(filter, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.MakeGenericMethod(entity).Invoke(null, [model, context]);

    private static void Apply(IMutableEntityType entity, IMutableProperty property)
    {
        property.SetColumnName(SnakeCase(property.Name));
        property.ValueGenerated = ValueGenerated.Never;
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        if (type == typeof(DateTimeOffset))
        {
            property.SetValueConverter(Instant);
        }
        else if (type.IsEnum)
        {
            property.SetProviderClrType(typeof(string));
            property.SetMaxLength(40);
        }
        else if (type == typeof(decimal) || type == typeof(DateTime))
        {
            throw new InvalidOperationException($"{entity.DisplayName()}.{property.Name}: quantities and money are scaled 64-bit integers, instants are DateTimeOffset.");
        }
        else if (type == typeof(string) && property.GetMaxLength() is null && property.GetColumnType() is null && !property.IsUnboundedText())
        {
            throw new InvalidOperationException($"{entity.DisplayName()}.{property.Name}: every text needs HasMaxLength, or IsText() for documents.");
        }

        if (property.Name == "Version" && type == typeof(long) && !property.IsPrimaryKey())
        {
            property.IsConcurrencyToken = true;
        }
    }

    private static void FilterByCustomer<T>(ModelBuilder model, ControlPlaneDbContext context)
        where T : class, ICustomerOwned =>
        model.Entity<T>().HasQueryFilter("customer", row => context.Scope.IsAll || row.CustomerId == context.Scope.CustomerId);

    private static void FilterTenants<T>(ModelBuilder model, ControlPlaneDbContext context)
        where T : class, ITenant =>
        model.Entity<T>().HasQueryFilter("customer", row => context.Scope.IsAll || row.Id == context.Scope.CustomerId);

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1]))))
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}

/// <summary>Marks the few texts that are documents and have no bound in the database, only at the door.</summary>
public static class UnboundedText
{
    private const string Annotation = "MissionControl:Text";

    /// <summary>The property holds a document (JSON); its size is limited where it comes in.</summary>
    public static PropertyBuilder<TProperty> IsText<TProperty>(this PropertyBuilder<TProperty> property)
    {
        ArgumentNullException.ThrowIfNull(property);
        return property.HasAnnotation(Annotation, true);
    }

    internal static bool IsUnboundedText(this IReadOnlyProperty property) => property.FindAnnotation(Annotation) is not null;
}
