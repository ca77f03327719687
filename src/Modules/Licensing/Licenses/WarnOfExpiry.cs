using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Licensing.Customers;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Licenses;

namespace MissionControl.Licensing.Licenses;

/// <summary>Tells the vendor and the customer 30, 14, 7 days and a day before a licence ends, each once for each end.</summary>
internal sealed class WarnOfExpiry(TimeProvider time) : Sweeper("licensing.warn-of-expiry", "licensing", TimeSpan.FromSeconds(30))
{
    private const int Batch = 200;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var events = scope.GetRequiredService<IEvents>();
        db.Scope.OpenAll("licences of every customer end");
        while (await WarnAsync(db, events, cancellationToken) == Batch)
        {
            db.ChangeTracker.Clear();
        }
    }

    private async Task<int> WarnAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = await db.Set<License>().Where(row => row.NoticeAt <= now).OrderBy(row => row.NoticeAt).Take(Batch).ToListAsync(cancellationToken);
        if (due.Count == 0)
        {
            return 0;
        }

        var ids = due.Select(row => row.CustomerId).Distinct().ToList();
        var names = await db.Set<Customer>().AsNoTracking().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, row => row.Name, cancellationToken);
        foreach (var license in due)
        {
            // Of several days that have passed, as with a licence that is short, the last one is told.
            var passed = LicenseRules.WarnDays.Where(days => license.NotAfter.AddDays(-days) <= now).Min();
            var next = LicenseRules.WarnDays.Where(days => days < passed).Select(days => (int?)days).FirstOrDefault();
            license.NoticeAt = next is { } ahead ? license.NotAfter.AddDays(-ahead) : null;
            license.Version++;
            if (license.Status != LicenseStatus.Active || license.NotAfter <= now)
            {
                continue;
            }

            events.Publish(new SendNotification(
                Guid.CreateVersion7(now), license.CustomerId, [new Recipient("vendor", "billing"), new Recipient("contact", "billing")], "license-expiring",
                new Dictionary<string, string>
                {
                    ["customer"] = names.GetValueOrDefault(license.CustomerId, ""), ["plan"] = license.Plan, ["license"] = license.Id.ToString(), ["end"] = license.NotAfter.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture),
                    ["days"] = passed == 1 ? "a day" : string.Create(CultureInfo.InvariantCulture, $"{passed} days"), ["grace"] = license.GraceUntil.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                },
                passed <= 7 ? "critical" : "warning", string.Create(CultureInfo.InvariantCulture, $"license-expiring/{license.Id:N}/{license.NotAfter.ToUnixTimeSeconds()}/{passed}")));
        }

        await db.SaveChangesAsync(cancellationToken);
        return due.Count;
    }
}
