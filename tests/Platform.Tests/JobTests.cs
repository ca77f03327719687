using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class JobTests
{
    [Fact]
    public async Task A_fire_counts_for_one_replica_and_shows_how_it_ended()
    {
        await using var host = await ControlPlane.StartAsync(services: services => services.AddSingleton<Job>(new Probe("updates.probe", "0 0 3 * * ?")));
        var runner = host.Services.GetRequiredService<JobRunner>();
        var job = host.Services.GetServices<Job>().OfType<Probe>().Single();
        var due = new DateTimeOffset(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);

        var won = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => runner.RunAsync(job, due, CancellationToken.None)));

        Assert.Equal(1, won.Count(one => one));
        Assert.Equal(1, job.Runs);
        job.Fails = true;
        await runner.RunAsync(job, due.AddDays(1), CancellationToken.None);
        await host.ClientWithTokenAsync(null, "system:read");
        var runs = (await host.Admin.GetFromJsonAsync<Page<JobRunItem>>("/api/v1/updates/job-runs?job=updates.probe"))!.Items;
        Assert.Equal([("failed", due.AddDays(1)), ("succeeded", due)], runs.Select(run => (run.State, run.ScheduledAt)));
        Assert.Contains("The probe was told to fail", runs[0].Outcome);
        Assert.Equal("probed", runs[1].Outcome);
        var item = (await host.Admin.GetFromJsonAsync<Page<JobItem>>("/api/v1/updates/jobs"))!.Items.Single(item => item.Name == "updates.probe");
        Assert.Equal(3, item.NextAt!.Value.Hour);
        Assert.Equal(due.AddDays(1), item.LastRun!.ScheduledAt);
    }

    [Fact]
    public async Task The_scheduler_fires_by_itself()
    {
        await using var host = await ControlPlane.StartAsync(services: services => services.AddSingleton<Job>(new Probe("updates.probe", "* * * * * ?")));

        var job = host.Services.GetServices<Job>().OfType<Probe>().Single();
        await Eventually.TrueAsync(() => job.Runs >= 2, "the job was fired twice");
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        Assert.All(await db.JobRuns("updates").AsNoTracking().Where(row => row.Job == "updates.probe").ToListAsync(), row => Assert.Equal(0, row.ScheduledAt.Millisecond));
    }

    [Fact]
    public async Task What_was_missed_while_nothing_ran_is_made_up_for_once_at_the_start()
    {
        var data = Directory.CreateTempSubdirectory("mc-").FullName;
        try
        {
            var lastRun = DateTimeOffset.UtcNow.Date.AddDays(-3).AddHours(3);
            await using (var host = await ControlPlane.StartAsync(data))
            {
                await using var scope = host.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                db.JobRuns("updates").Add(new JobRun { Job = "updates.probe", ScheduledAt = new DateTimeOffset(lastRun, TimeSpan.Zero), Replica = "before", StartedAt = new DateTimeOffset(lastRun, TimeSpan.Zero) });
                await db.SaveChangesAsync();
            }

            await using (var host = await ControlPlane.StartAsync(data, services: services => services.AddSingleton<Job>(new Probe("updates.probe", "0 0 3 * * ?"))))
            {
                var job = host.Services.GetServices<Job>().OfType<Probe>().Single();
                await Eventually.TrueAsync(() => job.Runs == 1, "the missed run is made up for");
                await Eventually.TrueAsync(async () => (await RunsAsync(host))[0].State == "succeeded", "its end is written down");
                var runs = await RunsAsync(host);
                Assert.Equal(2, runs.Count);
                Assert.True(runs[0].StartedAt - runs[0].ScheduledAt > TimeSpan.Zero);
                Assert.Equal("interrupted", runs[1].State);
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Somebody_runs_a_job_now_once_at_a_time_and_its_run_says_who_why_and_how_it_ended()
    {
        await using var host = await ControlPlane.StartAsync(services: services => services.AddSingleton<Job>(new Probe("updates.probe", "0 0 3 1 1 ?")));
        var job = host.Services.GetServices<Job>().OfType<Probe>().Single();
        job.Hold();
        using (var without = await RunNowAsync(host, " "))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, without.StatusCode);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunNowAsync(host, "the cause was mended", Guid.NewGuid().ToString())));

        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Accepted));
        Assert.All(answers.Where(answer => answer.StatusCode != HttpStatusCode.Accepted), answer => Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode));
        await Eventually.TrueAsync(() => job.Runs == 1, "the job was begun");
        var listed = (await host.Admin.GetFromJsonAsync<Page<JobItem>>("/api/v1/updates/jobs"))!.Items.Single(item => item.Name == "updates.probe");
        Assert.Equal(("running", false), (listed.LastRun!.State, listed.Actions.Single(action => action.Name == "run").Allowed));
        job.Release();
        await Eventually.TrueAsync(async () => (await RunsAsync(host))[0].State == "succeeded", "its end is written down");
        var run = Assert.Single(await RunsAsync(host));
        Assert.Equal(("probed", "the cause was mended"), (run.Outcome, run.Reason));
        Assert.StartsWith("token:", run.StartedBy, StringComparison.Ordinal);

        // The same form sent twice is one run; without a key each is one of its own, and a failure is told.
        job.Fails = true;
        var key = Guid.NewGuid().ToString();
        foreach (var replayed in new[] { false, true })
        {
            using var answer = await RunNowAsync(host, "once more", key);
            Assert.Equal((HttpStatusCode.Accepted, replayed), (answer.StatusCode, answer.Headers.Contains("Idempotency-Replayed")));
            await Eventually.TrueAsync(async () => (await RunsAsync(host))[0].State == "failed", "the failure is written down");
        }

        Assert.Equal(2, job.Runs);
        using (var again = await RunNowAsync(host, "without a key"))
        {
            Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
            Assert.Equal("updates.probe", (await again.Content.ReadFromJsonAsync<JobRunItem>())!.Job);
        }

        await Eventually.TrueAsync(() => job.Runs == 3, "it ran a third time");
        using var unknown = await host.Admin.PostAsJsonAsync("/api/v1/updates/jobs/fleet.purge-records/run", new RunJobRequest("of another role"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    private static async Task<HttpResponseMessage> RunNowAsync(ControlPlane host, string reason, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/updates/jobs/updates.probe/run") { Content = JsonContent.Create(new RunJobRequest(reason)) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await host.Admin.SendAsync(request);
    }

    private static async Task<IReadOnlyList<JobRunItem>> RunsAsync(ControlPlane host)
    {
        IReadOnlyList<JobRunItem> items = [];
        await Eventually.TrueAsync(async () =>
        {
            using var response = await host.Admin.GetAsync(new Uri("/api/v1/updates/job-runs?job=updates.probe", UriKind.Relative));
            items = response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<Page<JobRunItem>>())!.Items : [];
            return items.Count > 0;
        }, "the runs are listed");
        return items;
    }

    private sealed class Probe(string name, string schedule) : Job(name, "updates", schedule, "Counts its runs")
    {
        private volatile TaskCompletionSource? held;
        private int runs;

        /// <summary>Runs that begin from now on wait.</summary>
        public void Hold() => held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => held!.SetResult();

        public int Runs => Volatile.Read(ref runs);

        public bool Fails { get; set; }

        public override async Task<string> RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref runs);
            await (held?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask);
            return Fails ? throw new InvalidOperationException("The probe was told to fail.") : "probed";
        }
    }
}
