using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>
/// Changes something of a customer again and again, and looks at the customer's audit log as an auditor does: what it has signed must
/// always go on from what it had signed before, and in the end every change that there is stands in it, once.
/// </summary>
/// <param name="installation">Where.</param>
/// <param name="customer">Whose.</param>
internal sealed class Clerk(IInstallation installation, Guid customer)
{
    private const int ChangesOfARound = 40;
    private const string Changed = "callhome.enrollment-token-created";
    private readonly List<string> acknowledged = [];
    private AuditLogItem? log;
    private Checkpoint? before;

    /// <summary>What was acknowledged.</summary>
    public int Acknowledged => acknowledged.Count;

    /// <summary>Changes, until it may not go on, or the process is gone.</summary>
    public async Task WorkAsync(CancellationToken cancellationToken)
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        for (var i = 0; i < ChangesOfARound && !cancellationToken.IsCancellationRequested; i++)
        {
            try
            {
                using var answer = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer), cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    acknowledged.Add((await answer.Content.ReadFromJsonAsync<CreatedEnrollmentToken>(cancellationToken))!.Id);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                // Whether it was done, and whether it is told, is seen in the end.
            }
        }
    }

    /// <summary>The log goes on from what it had signed when it was looked at before.</summary>
    /// <returns>What was changed, as the log tells it, and as which of its numbers which process told it.</returns>
    public async Task<List<(string Id, string Producer, long Number)>> VerifyAsync()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        await Eventually.TrueAsync(async () => (log ??= (await admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(item => item.CustomerId == customer && item.SignedSize > 0)) is not null, "the customer's log is signed");
        var root = $"/api/v1/audit/logs/{log!.Id}/";
        var head = Checkpoint.Parse(SignedNote.Parse(await admin.GetByteArrayAsync($"{root}checkpoint")).Text);
        var changed = new List<(string, string, long)>();
        var finding = await LogWalk.RunAsync(
            head, before, async (tile, token) => await admin.GetByteArrayAsync($"{root}{tile}", token), null, CancellationToken.None,
            (_, entry) =>
            {
                var read = JsonSerializer.Deserialize<JsonElement>(entry);
                if (read.GetProperty("type").GetString() == Changed)
                {
                    changed.Add((read.GetProperty("target").GetProperty("id").GetString()!, read.GetProperty("producer").GetString()!, read.GetProperty("producerSeq").GetInt64()));
                }
            });
        Assert.True(finding.Result == WalkResult.Good, $"{finding.Problem} {before?.Size} {head.Size}");
        before = head;
        return changed;
    }

    /// <summary>What was changed and what the log tells are one and the same, and nothing is missed.</summary>
    public async Task VerifyWholeAsync()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var there = new List<EnrollmentTokenItem>();
        for (var next = $"/api/v1/callhome/enrollment-tokens?customer={customer}&limit=500"; next is not null;)
        {
            var page = (await admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>(next))!;
            there.AddRange(page.Items);
            next = page.Next;
        }

        List<(string Id, string Producer, long Number)> told = [];
        await Eventually.TrueAsync(async () => (told = await VerifyAsync()).Count >= there.Count, "every change is told");
        Assert.Equal(there.Select(token => token.Id).Order(StringComparer.Ordinal), told.Select(one => one.Id).Order(StringComparer.Ordinal));
        Assert.Empty(acknowledged.Except(told.Select(one => one.Id)));
        Assert.Distinct(told.Select(one => (one.Producer, one.Number)));
        Assert.Empty((await admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.gap&limit=500"))!.Items);
    }
}
