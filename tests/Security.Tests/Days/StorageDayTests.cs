using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Days;

/// <summary>The disk is full, or another process holds the database: nothing acknowledged is lost, the rest is refused and sent again, and the host is well again by itself.</summary>
[Collection("alone")]
public sealed class StorageDayTests
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task When_the_disk_is_full_nothing_acknowledged_is_lost_and_the_host_recovers_without_a_restart()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Needs root: it mounts a small tmpfs.");
        var mount = Directory.CreateTempSubdirectory("mc-full-").FullName;
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", mount) == 0, "This machine lets nobody mount a tmpfs.");
        try
        {
            await using var host = await ControlPlane.StartAsync(mount);
            await WithTrafficAsync(host, async senders =>
            {
                var ballast = Path.Combine(mount, "ballast");
                Fill(ballast);
                await Eventually.TrueAsync(() => senders.All(sender => sender.Refused > 0), "check-ins are refused while the disk is full");
                using var api = await host.Admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Too late", "eu"));
                await Answers.RefusedAsync("storage-unavailable", api, "a change while the disk is full");
                using var read = await host.Admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, read.StatusCode);
                File.Delete(ballast);
            });
        }
        finally
        {
            await RunAsync("umount", "-l", mount);
            Directory.Delete(mount);
        }
    }

    [Fact]
    public async Task While_another_process_holds_the_database_check_ins_wait_or_are_refused_and_none_is_lost()
    {
        await using var host = await ControlPlane.StartAsync();
        await WithTrafficAsync(host, async senders =>
        {
            await using var other = new SqliteConnection($"Data Source={Path.Combine(host.Data, "missioncontrol.db")};Pooling=False");
            await other.OpenAsync();
            await using (var begin = other.CreateCommand())
            {
                begin.CommandText = "BEGIN EXCLUSIVE";
                await begin.ExecuteNonQueryAsync();
            }

            // The fault itself lasts; reading goes on meanwhile. With --long it outlasts the time that a writer waits.
            var until = Stopwatch.StartNew();
            var lasts = TimeSpan.FromSeconds(Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1" ? 45 : 4);
            await Eventually.TrueAsync(async () =>
            {
                using var read = await host.Admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, read.StatusCode);
                return until.Elapsed > lasts || until.Elapsed > TimeSpan.FromSeconds(25);
            }, "the fault has lasted");
        });
    }

    /// <summary>Senders before, during and after the fault; the service must be well again within 30 s of its end.</summary>
    private static async Task WithTrafficAsync(ControlPlane host, Func<IReadOnlyList<SteadySender>, Task> fault)
    {
        var customer = await host.CreateCustomerAsync();
        var senders = new List<SteadySender>();
        for (var i = 0; i < 4; i++)
        {
            senders.Add(await SteadySender.EnrollAsync(host, customer.Id));
        }

        using var stop = new CancellationTokenSource();
        var running = senders.Select(sender => sender.RunAsync(stop.Token)).ToList();
        await Eventually.TrueAsync(() => senders.All(sender => sender.Acknowledged > 20), "traffic flows");

        await fault(senders);

        var well = Stopwatch.StartNew();
        var before = senders.ConvertAll(sender => sender.Acknowledged);
        await Eventually.TrueAsync(() => senders.Zip(before).All(pair => pair.First.Acknowledged > pair.Second + 5), "traffic flows again");
        await Eventually.TrueAsync(async () => (await host.Admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("In time", "eu"))).StatusCode == HttpStatusCode.Created, "changes are taken again");
        Assert.True(well.Elapsed < Recovery, $"well again only after {well.Elapsed}");
        await stop.CancelAsync();
        await Task.WhenAll(running);
        foreach (var sender in senders)
        {
            await sender.StoredOnceAsync();
            sender.Dispose();
        }

        Assert.Empty(await Answers.ParkedAsync(host.Admin));
    }

    private static void Fill(string file)
    {
        using var ballast = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        foreach (var size in new[] { 1 << 20, 4096, 1 })
        {
            try
            {
                while (true)
                {
                    ballast.Write(new byte[size]);
                }
            }
            catch (IOException)
            {
                // No space is left for this many.
            }
        }
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
