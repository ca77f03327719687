using System.Globalization;
using System.Text.RegularExpressions;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>A publisher that is stuck for good ends its process; a broker that is not well ends nobody's.</summary>
[Collection(Shapes.Distributed)]
public sealed partial class StuckPublisherTests(DistributedFixture fixture)
{
    private readonly DistributedInstallation installation = fixture.Installation;

    [Fact]
    public async Task A_process_that_can_publish_nothing_though_the_broker_takes_messages_ends_with_70_and_says_so()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1", "A longer proof: infra/dev test --long.");

        // Confirms of the publisher are swallowed; whoever asks whether the broker takes messages is answered.
        using var way = new StallingWay(installation.RabbitMq.Address, passes: "missioncontrol probe");
        await using var process = new ReplicaProcess(installation, "callhome", 90, new Dictionary<string, string> { ["MissionControl__RabbitMq__Address"] = way.Address.ToString() }, isMeantToFail: true);
        await process.StartAsync();
        using var metrics = new HttpClient { BaseAddress = process.Operations };
        await Eventually.TrueAsync(async () => Delivered().IsMatch(await metrics.GetStringAsync(new Uri("/metrics", UriKind.Relative))), "it publishes", TimeSpan.FromMinutes(2));

        way.Stall();

        // Its watermarks are due every five seconds, and nothing else of it needs to happen.
        Assert.Equal(70, await process.EndedAsync().WaitAsync(TimeSpan.FromMinutes(3)));
        Assert.Contains(process.Output, line => line.Contains("\"EventId\":115", StringComparison.Ordinal) && line.Contains("\"LogLevel\":\"Critical\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_process_that_hangs_while_it_connects_ends_with_70_as_well()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1", "A longer proof: infra/dev test --long.");
        using var way = new StallingWay(installation.RabbitMq.Address, passes: "missioncontrol probe");
        way.Stall();
        await using var process = new ReplicaProcess(installation, "callhome", 91, new Dictionary<string, string> { ["MissionControl__RabbitMq__Address"] = way.Address.ToString() }, isMeantToFail: true);

        process.Begin();

        Assert.Equal(70, await process.EndedAsync().WaitAsync(TimeSpan.FromMinutes(4)));
        Assert.Contains(process.Output, line => line.Contains("\"EventId\":115", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broker_that_is_frozen_under_an_alarm_or_away_is_told_from_one_that_takes_messages()
    {
        Assert.SkipUnless(installation.RabbitMq.IsOwn, "Needs a broker of our own: this one is not to be frozen.");
        await using var broker = await RabbitMqServer.StartNewAsync(RabbitMqUser.Owner("owner"), new RabbitMqUser("reader", "^$", "^$", ".*"));
        var owner = new RabbitMqSettings(broker.Address, "owner", broker.Password);
        await Eventually.TrueAsync(() => AsksAsync(owner), "it takes messages");
        await Eventually.TrueAsync(() => AsksAsync(owner with { User = "reader" }), "it refuses, which is an answer");

        await broker.ControlAsync("set_vm_memory_high_watermark", "0");
        Assert.False(await AsksAsync(owner));
        Assert.False(await AsksAsync(owner with { User = "reader" }));
        await broker.ControlAsync("set_vm_memory_high_watermark", "0.4");
        await Eventually.TrueAsync(() => AsksAsync(owner), "the alarm is over");

        await broker.FreezeAsync();
        Assert.False(await AsksAsync(owner));
        await broker.ThawAsync();
        await Eventually.TrueAsync(() => AsksAsync(owner), "the broker goes on");

        await broker.KillAsync();
        Assert.False(await AsksAsync(owner));
    }

    [Theory]
    [InlineData("frozen")]
    [InlineData("under an alarm")]
    public async Task While_the_broker_takes_nothing_no_process_ends_and_what_waited_is_delivered_afterwards(string broker)
    {
        Assert.SkipUnless(installation.RabbitMq.IsOwn, "Needs a broker of our own: this one is not to be frozen.");
        using var metrics = new HttpClient { BaseAddress = installation.Of("callhome")[0].Operations };
        var isFrozen = broker == "frozen";
        await (isFrozen ? installation.RabbitMq.FreezeAsync() : installation.RabbitMq.ControlAsync("set_vm_memory_high_watermark", "0"));
        try
        {
            // Watermarks are due every five seconds: none of them got through for longer than a stuck publisher may live.
            await Eventually.TrueAsync(async () => await OldestAsync() > 35, "messages wait", TimeSpan.FromMinutes(2));
        }
        finally
        {
            await (isFrozen ? installation.RabbitMq.ThawAsync() : installation.RabbitMq.ControlAsync("set_vm_memory_high_watermark", "0.4"));
        }

        await Eventually.TrueAsync(async () => await OldestAsync() < 5, "they are delivered", TimeSpan.FromMinutes(2));
        installation.AssertNothingCritical();

        async Task<double> OldestAsync() => double.Parse(OldestAge().Match(await metrics.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("""missioncontrol_outbox_oldest_age\{role="callhome"\} ([0-9.]+)""")]
    private static partial Regex OldestAge();

    [GeneratedRegex("""missioncontrol_outbox_delivered_total\{role="callhome"\} [1-9]""")]
    private static partial Regex Delivered();

    private static Task<bool> AsksAsync(RabbitMqSettings settings) => BrokerProbe.TakesMessagesAsync(settings, TestContext.Current.CancellationToken);
}
