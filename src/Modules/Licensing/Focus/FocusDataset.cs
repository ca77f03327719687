using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Licensing.Focus;

/// <summary>What a column holds.</summary>
internal enum FocusType
{
    String,
    Decimal,
    DateTime,
    Boolean,
    Json,
}

/// <summary>A column, and how its value is read; null: there is none. Names that begin with x_ are ours and stand behind those of FOCUS.</summary>
/// <typeparam name="T">What a row is made of.</typeparam>
/// <param name="Name">As FOCUS writes it.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Nullable">Whether there may be none.</param>
/// <param name="Description">For people.</param>
/// <param name="Read">The value as text: numbers in digits, instants in UTC.</param>
internal sealed record FocusColumn<T>(string Name, FocusType Type, bool Nullable, string Description, Func<T, string?> Read);

/// <summary>A table of FOCUS.</summary>
/// <typeparam name="T">What a row is made of.</typeparam>
/// <param name="Name">As it is asked for.</param>
/// <param name="Introduced">The version of FOCUS that it came with.</param>
/// <param name="Columns">In order.</param>
internal sealed record FocusDataset<T>(string Name, string Introduced, IReadOnlyList<FocusColumn<T>> Columns)
{
    public FocusDatasetItem ToItem(string closed, string? open) => new(
        Name, Introduced, closed, open, [.. Columns.Select(column => new FocusColumnItem(column.Name, column.Type.ToString(), column.Nullable, column.Name.StartsWith("x_", StringComparison.Ordinal), column.Description))]);
}
