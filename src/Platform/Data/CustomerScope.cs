namespace MissionControl.Platform.Data;

/// <summary>Rows that belong to one customer; the customer filter applies to them without further ado.</summary>
public interface ICustomerOwned
{
    /// <summary>The tenant.</summary>
    Guid CustomerId { get; }
}

/// <summary>The customers themselves: their id is the tenant key.</summary>
public interface ITenant
{
    /// <summary>The tenant.</summary>
    Guid Id { get; }
}

/// <summary>
/// Whose rows the current unit of work may see. Closed by default: no principal, no rows. The request's principal opens it;
/// handlers and sweepers open it in one named call that says why.
/// </summary>
public sealed class CustomerScope
{
    /// <summary>True when every customer's rows are visible.</summary>
    public bool IsAll { get; private set; }

    /// <summary>The one visible customer, or the empty id, which no row has.</summary>
    public Guid CustomerId { get; private set; }

    /// <summary>Why the scope was opened for all; null otherwise.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether a customer's rows are visible.</summary>
    public bool Covers(Guid customerId) => IsAll || (customerId == CustomerId && customerId != Guid.Empty);

    /// <summary>Opens all customers' rows.</summary>
    public void OpenAll(string why)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(why);
        IsAll = true;
        Reason = why;
    }

    /// <summary>Opens one customer's rows and closes all others.</summary>
    public void OpenOne(Guid customerId)
    {
        IsAll = false;
        Reason = null;
        CustomerId = customerId;
    }
}
