using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Platform.Data;

/// <summary>Tables whose rows are only ever inserted, as the database itself enforces.</summary>
public static class AppendOnly
{
    private const string Annotation = "MissionControl:AppendOnly";

    /// <summary>Marks the entity's table; the migration chain creates the triggers, a start-up check proves that they are there.</summary>
    public static EntityTypeBuilder<T> IsAppendOnly<T>(this EntityTypeBuilder<T> entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.HasAnnotation(Annotation, true);
    }

    /// <summary>The append-only tables of the model.</summary>
    public static IReadOnlyList<string> Tables(IModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. model.GetEntityTypes().Where(entity => entity.FindAnnotation(Annotation) is not null).Select(entity => entity.GetTableName()!)];
    }
}
