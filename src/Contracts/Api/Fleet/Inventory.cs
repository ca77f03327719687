namespace MissionControl.Contracts.Api.Fleet;

/// <summary>What a cluster last said it is made of; its nodes stand in <c>nodes</c>.</summary>
/// <param name="AsOf">When the cluster said so (UTC); null when no inventory has come yet.</param>
/// <param name="ReceivedAt">When it arrived (UTC).</param>
/// <param name="ProductVersion">Version of the product.</param>
/// <param name="AgentVersion">Version of the agent.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="MaintenanceWindow">When the customer allows work on it, as the product says.</param>
/// <param name="UpdateMode">automatic or manual.</param>
/// <param name="RemoteAccessAllowed">The customer's own switch, as the agent read it; null when unknown.</param>
/// <param name="Gateways">Its gateways.</param>
/// <param name="Collectors">How many collectors of which version report to it.</param>
/// <param name="Environments">Its environments.</param>
/// <param name="Asked">When somebody last asked for it out of turn; null when nobody ever did.</param>
public sealed record InventoryDocument(
    DateTimeOffset? AsOf, DateTimeOffset? ReceivedAt, string ProductVersion, string AgentVersion, string TimeZone, string MaintenanceWindow, string UpdateMode, bool? RemoteAccessAllowed,
    IReadOnlyList<GatewayItem> Gateways, IReadOnlyList<CollectorCountItem> Collectors, IReadOnlyList<EnvironmentItem> Environments, InventoryAsked? Asked);

/// <summary>Asks a cluster for its inventory out of turn.</summary>
/// <param name="Reason">Why, 3 to 500 characters; it goes to the audit log.</param>
public sealed record InventoryRequest(string? Reason);

/// <summary>An inventory that was asked for out of turn.</summary>
/// <param name="At">When it was asked for (UTC).</param>
/// <param name="Until">Until when the cluster is told of it (UTC).</param>
/// <param name="Answered">An inventory arrived since.</param>
/// <param name="Waits">Why the answer does not come with the next check-in: suspended, offline or by-bundle; null when nothing is known to be in its way, or it has come.</param>
/// <param name="Detail">The same in words.</param>
public sealed record InventoryAsked(DateTimeOffset At, DateTimeOffset Until, bool Answered, string? Waits, string? Detail);

/// <summary>A gateway of a cluster.</summary>
/// <param name="Id">Id within the cluster.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Version">Its version.</param>
/// <param name="State">As the product says.</param>
/// <param name="Os">Its operating system.</param>
public sealed record GatewayItem(string Id, string Kind, string Version, string State, string Os);

/// <summary>Collectors of one version and operating system.</summary>
/// <param name="Version">Their version.</param>
/// <param name="Os">Their operating system.</param>
/// <param name="Count">How many.</param>
public sealed record CollectorCountItem(string Version, string Os, long Count);

/// <summary>An environment of a cluster: the dimension <c>env</c> of its usage.</summary>
/// <param name="Id">Id given by the product.</param>
/// <param name="Name">Its name.</param>
public sealed record EnvironmentItem(string Id, string Name);

/// <summary>One difference between two inventories of a cluster.</summary>
/// <param name="Kind">node-added, node-removed, node-version, gateway-state, product-version, …</param>
/// <param name="Subject">The node, gateway or environment; empty for the cluster itself.</param>
/// <param name="Before">What it was; null when it is new.</param>
/// <param name="After">What it is; null when it is gone.</param>
/// <param name="At">When the cluster noticed, by its own clock (UTC).</param>
/// <param name="ReceivedAt">When it arrived (UTC).</param>
public sealed record InventoryChangeItem(string Kind, string Subject, string? Before, string? After, DateTimeOffset At, DateTimeOffset ReceivedAt);

/// <summary>Which versions run in the fleet; clusters that are decommissioned do not count.</summary>
/// <param name="Product">By version of the product.</param>
/// <param name="Collectors">By version of the collectors.</param>
/// <param name="AsOf">When this was true (UTC).</param>
public sealed record FleetVersions(IReadOnlyList<ProductVersionItem> Product, IReadOnlyList<CollectorVersionItem> Collectors, DateTimeOffset AsOf);

/// <summary>Clusters on one version of the product.</summary>
/// <param name="Version">The version; empty when it is not known.</param>
/// <param name="Clusters">How many clusters.</param>
/// <param name="Customers">Of how many customers.</param>
public sealed record ProductVersionItem(string Version, long Clusters, long Customers);

/// <summary>Collectors of one version, over all clusters.</summary>
/// <param name="Version">The version; empty when it is not known.</param>
/// <param name="Collectors">How many collectors.</param>
/// <param name="Clusters">At how many clusters.</param>
public sealed record CollectorVersionItem(string Version, long Collectors, long Clusters);
