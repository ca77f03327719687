using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Federation;

/// <summary>
/// Bounds the people whom the providers of one customer make, all of them together: whoever rules a provider could say a new subject
/// each time. Staff's providers are the vendor's own, and not bounded.
/// </summary>
internal sealed class PeopleLimit(IOptions<IdentityOptions> options, TimeProvider time)
{
    /// <summary>What is told of it.</summary>
    public const string Reached = "Your provider signed you in, but as many people of your organisation as may come by it are known here already, and you are not one of them. Ask the vendor for more.";

    private static readonly TimeSpan Between = TimeSpan.FromHours(1);
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, DateTimeOffset> told = [];

    /// <summary>Whether somebody who is new would be one too many. Those that were disabled count: they stay, for the audit log.</summary>
    public async Task<bool> IsReachedAsync(ControlPlaneDbContext db, Guid customer, CancellationToken cancellationToken)
    {
        var most = options.Value.MostFederatedPeople;
        return await db.Set<Person>().Where(row => row.CustomerId == customer && row.EmailKey == null).Take(most).CountAsync(cancellationToken) >= most;
    }

    /// <summary>Whether the log is told of it now: once an hour at most, each customer by itself, so that nobody's provider fills it.</summary>
    public bool MayBeTold(Guid customer)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            if (told.TryGetValue(customer, out var last) && now - last < Between)
            {
                return false;
            }

            told[customer] = now;
            return true;
        }
    }
}
