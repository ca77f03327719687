namespace MissionControl.ClusterAgent.Product;

/// <summary>What was read of the product.</summary>
/// <param name="State">The newest state.</param>
/// <param name="Age">How old it was when it was read.</param>
/// <param name="Events">What happened; may hold events that were told before.</param>
public sealed record ProductReading(ProductDocument State, TimeSpan Age, IReadOnlyList<ProductEvent> Events);

/// <summary>A way to the product: by HTTP, or by files that it drops.</summary>
public interface IProduct : IDisposable
{
    /// <summary>Reads it once.</summary>
    /// <exception cref="ProductException">It cannot be read now; the message says why.</exception>
    Task<ProductReading> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Whom to tell, by kind, severity and text, of what the product sent and could not be read.</summary>
    Action<string, string, string>? Tell { get; set; }

    /// <summary>What was read last is in the spool: it need not be kept for us any longer.</summary>
    void Kept();
}
