using MissionControl.ClusterAgent.Privacy;
using MissionControl.Protocol.CallHome;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>Names of people and hosts stay on the machine unless the customer says otherwise.</summary>
public sealed class MaskingTests
{
    private static readonly byte[] Key = new byte[32];

    [Theory]
    [InlineData("Connection to db01.prod.example.com refused", "Connection to [host] refused")]
    [InlineData("peer 10.1.2.3:7000 timed out", "peer [address] timed out")]
    [InlineData("peer fe80::1ff:fe23:4567:890a timed out", "peer [address] timed out")]
    [InlineData("mail to alice.b@example.com failed", "mail to [mail] failed")]
    [InlineData("cannot write /users/alice/data", "cannot write /users/[user]/data")]
    [InlineData("GET https://intranet/secret?x=1 failed", "GET [url] failed")]
    [InlineData("password=hunter2 was refused", "[token] was refused")]
    [InlineData("Version 1.339.0 was installed at 10:15:00", "Version 1.339.0 was installed at 10:15:00")]
    [InlineData("Node 3 of 5 is down", "Node 3 of 5 is down")]
    public void Free_text_keeps_its_sense_and_loses_its_names(string text, string cleaned) => Assert.Equal(cleaned, Masking.Clean(text));

    [Fact]
    public void Ids_become_digests_that_are_stable_here_and_different_elsewhere()
    {
        var health = Health();
        new Masking(Key, new PrivacySettings()).Apply(health);
        var again = Health();
        new Masking(Key, new PrivacySettings()).Apply(again);
        var elsewhere = Health();
        new Masking([.. Enumerable.Repeat((byte)1, 32)], new PrivacySettings()).Apply(elsewhere);

        Assert.Equal(health, again);
        Assert.Matches("^node-[0-9a-f]{12}$", health.Nodes[0].Id);
        Assert.NotEqual(health.Nodes[0].Id, elsewhere.Nodes[0].Id);
        Assert.Equal("/var", health.Nodes[0].Disks[0].Mount);
        Assert.Matches("^disk-[0-9a-f]{12}$", health.Nodes[0].Disks[1].Mount);
        Assert.Matches("^issuer-[0-9a-f]{12}$", health.Certificates[0].Issuer);
        Assert.Equal("other", health.Backup.Location);
        Assert.DoesNotContain("acme", health.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void What_was_masked_can_be_told_by_whoever_shows_what_was_sent()
    {
        var masking = new Masking(Key, new PrivacySettings());
        var health = Health();
        masking.Apply(health);

        Assert.Equal(["digest", null, "digest", "digest"], new[] { health.Nodes[0].Id, health.Nodes[0].Disks[0].Mount, health.Nodes[0].Disks[1].Mount, health.Certificates[0].Issuer }.Select(value => MaskedText.FormOf(value)));
        Assert.Equal("cleaned", MaskedText.FormOf(Masking.Clean("Connection to db01.prod.example.com refused")));
        Assert.Equal("digest", MaskedText.FormOf(masking.Dimension("team", "payroll").Value, "team"));

        // Ids that the product gave, and words, look like themselves.
        Assert.All(
            new[] { ("e1", "env"), ("env-0123456789ab", "env"), ("b7a1c2d3-0000-7000-8000-0123456789ab", "env"), ("server-0123456789ab", "id"), ("node-0123456789AB", "id"), ("Node 3 of 5 is down", "text"), ("-0123456789ab", "id"), ("", "id") },
            value => Assert.Null(MaskedText.FormOf(value.Item1, value.Item2)));
    }

    [Fact]
    public void What_is_revealed_stays_and_what_is_withheld_goes()
    {
        var health = Health();
        new Masking(Key, new PrivacySettings { Reveal = ["node.id", "certificate.issuer"], Withhold = ["disk", "node.hardware", "backup"] }).Apply(health);

        Assert.Equal(("node1.acme.example", "CN=Acme CA"), (health.Nodes[0].Id, health.Certificates[0].Issuer));
        Assert.Empty(health.Nodes[0].Disks);
        Assert.False(health.Nodes[0].HasCpuPercent);
        Assert.Null(health.Backup);
    }

    [Fact]
    public void An_inventory_names_neither_gateways_nor_environments_by_default()
    {
        var inventory = new Inventory
        {
            Nodes = { new Node { Id = "node1.acme.example" } }, Gateways = { new Gateway { Id = "gw.acme.example" } },
            Environments = { new Protocol.CallHome.Environment { Id = "e1", Name = "Acme payroll" } },
        };
        new Masking(Key, new PrivacySettings()).Apply(inventory);

        Assert.Equal(("e1", ""), (inventory.Environments[0].Id, inventory.Environments[0].Name));
        Assert.DoesNotContain("acme", inventory.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void What_cannot_be_revealed_or_withheld_is_a_mistake_in_the_configuration()
    {
        var settings = new PrivacySettings { Reveal = ["node.id", "node.state", "nonsense"], Withhold = ["event", "versions"] };

        Assert.Equal(3, settings.Errors().Count());
    }

    [Fact]
    public void Every_field_that_leaves_stands_in_the_list_once()
    {
        var listed = DataFields.All.SelectMany(field => field.Fields).ToList();
        var messages = new[] { Facts.Descriptor, Protocol.CallHome.Health.Descriptor, Inventory.Descriptor, Event.Descriptor, WitnessAnswers.Descriptor };
        var all = messages.SelectMany(message => Fields(message, [])).Distinct().Order(StringComparer.Ordinal).ToList();

        Assert.Equal(all, listed.Order(StringComparer.Ordinal));
    }

    // A list of nodes says nothing by itself: its fields do. Other lists are named, since they can be withheld as a whole.
    private static IEnumerable<string> Fields(Google.Protobuf.Reflection.MessageDescriptor message, HashSet<string> seen)
    {
        if (!seen.Add(message.Name))
        {
            yield break;
        }

        foreach (var field in message.Fields.InDeclarationOrder())
        {
            if (field.Name != "nodes" || message.Name == "Inventory")
            {
                yield return $"{message.Name}.{field.Name}";
            }

            if (field.FieldType == Google.Protobuf.Reflection.FieldType.Message)
            {
                foreach (var inner in Fields(field.MessageType, seen))
                {
                    yield return inner;
                }
            }
        }
    }

    private static Health Health() => new()
    {
        Nodes = { new NodeHealth { Id = "node1.acme.example", State = "running", CpuPercent = 3, Disks = { new Disk { Mount = "/var" }, new Disk { Mount = "/acme/alice" } } } },
        Certificates = { new Certificate { Purpose = "gateway", Issuer = "CN=Acme CA" } },
        Backup = new Backup { Location = "//nas.acme.example/backup" },
    };
}
