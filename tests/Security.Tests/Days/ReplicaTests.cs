using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Days;

/// <summary>Two processes over one database hear the same cluster at once, in any order and more than once: the compare-and-swap makes one history of it.</summary>
[Collection("alone")]
public sealed class ReplicaTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Items_in_any_order_twice_and_at_two_replicas_are_stored_once_and_acknowledged_when_no_hole_is_left(int seed)
    {
        const int Items = 120;
        var data = Directory.CreateTempSubdirectory("mc-replicas-").FullName;
        await using (var one = await ControlPlane.StartAsync(data))
        await using (var two = await ControlPlane.StartAsync(data))
        {
            using var first = await TestCluster.EnrollAsync(one, (await one.CreateCustomerAsync()).Id);
            using var second = new TestCluster(two) { Id = first.Id, Epoch = first.Epoch, Key = first.Key };
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    await second.AuthorizeAsync();
                    return (await second.CheckInAsync()).Ack == 0;
                }
                catch (InvalidOperationException)
                {
                    return false;
                }
            }, "the second replica knows the cluster");

            var random = new Random(seed);
            var items = Enumerable.Range(1, Items).Select(seq => first.Event($"e{seq}", seq)).ToArray();
            var offers = items.Concat(items).ToArray();
            random.Shuffle(offers);
            var model = new HashSet<long>();
            var batches = offers.Chunk(7).Select((batch, i) => (Sender: i % 2 == 0 ? first : second, Items: batch.DistinctBy(item => item.Seq).ToArray())).ToList();
            foreach (var pair in batches.Chunk(2))
            {
                var answers = await Task.WhenAll(pair.Select(batch => batch.Sender.CheckInAsync(batch.Items)));
                model.UnionWith(pair.SelectMany(batch => batch.Items).Select(item => item.Seq));
                foreach (var answer in answers)
                {
                    // A replica may not have seen the other's newest write; it never claims what nobody stored.
                    Assert.True(Enumerable.Range(1, (int)answer.Ack).All(seq => model.Contains(seq)), $"acknowledged up to {answer.Ack}");
                    Assert.Subset(model, answer.AcceptedAboveAck.ToHashSet());
                }
            }

            Assert.Equal(Items, model.Count);
            await Eventually.TrueAsync(async () => (await first.CheckInAsync(items[^1])).Ack == Items || (await second.CheckInAsync(items[..2])).Ack == Items, "no hole is left");
            Page<EventItem>? page = null;
            await Eventually.TrueAsync(async () => (page = await one.Admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{first.Id}/events?limit=500"))!.Items.Count >= Items, "every event is stored");
            Assert.Equal(Items, page!.Items.Select(item => item.Id).Distinct().Count());
            Assert.Equal(Items, page.Items.Count);
            Assert.Empty(await Answers.ParkedAsync(one.Admin));
        }

        Directory.Delete(data, recursive: true);
    }
}
