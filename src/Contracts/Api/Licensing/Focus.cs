namespace MissionControl.Contracts.Api.Licensing;

/// <summary>What the exports hold that follow the FinOps Open Cost and Usage Specification (FOCUS).</summary>
/// <param name="FocusVersion">The version that is asked for.</param>
/// <param name="Datasets">The tables.</param>
public sealed record FocusSchema(string FocusVersion, IReadOnlyList<FocusDatasetItem> Datasets);

/// <summary>A table.</summary>
/// <param name="Name">As it is asked for.</param>
/// <param name="Introduced">The version of FOCUS that it came with.</param>
/// <param name="Delivery">How a new file goes on from an older one: append, or overwrite.</param>
/// <param name="OpenDelivery">The same of rows of periods that are not closed; null: it has none apart.</param>
/// <param name="Columns">In the order in which they are written.</param>
public sealed record FocusDatasetItem(string Name, string Introduced, string Delivery, string? OpenDelivery, IReadOnlyList<FocusColumnItem> Columns);

/// <summary>A column.</summary>
/// <param name="Name">As FOCUS writes it.</param>
/// <param name="Type">String, Decimal, DateTime, Boolean or Json.</param>
/// <param name="Nullable">Whether a row may have no value.</param>
/// <param name="Custom">Not of FOCUS: ours.</param>
/// <param name="Description">For people.</param>
public sealed record FocusColumnItem(string Name, string Type, bool Nullable, bool Custom, string Description);
