using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>Items of a site without a connection, carried in a signed file: the same rules as a check-in, with the signature for a bearer.</summary>
public sealed class BundleTests(HostFixture fixture)
{
    [Fact]
    public async Task A_bundle_is_acknowledged_as_a_check_in_is_whatever_the_order_and_however_often()
    {
        using var cluster = await fixture.EnrollAsync();
        var (first, second) = (cluster.Request(cluster.Health(1), cluster.Event("a", 2)), cluster.Request(cluster.Event("b", 3), cluster.Health(4)));

        var late = await cluster.HandInAsync(cluster.Part(second));
        var both = await cluster.HandInAsync(cluster.Part(second), cluster.Part(first));
        var again = await cluster.HandInAsync(cluster.Part(first), cluster.Part(second));
        var online = await cluster.CheckInAsync([.. first.Items, .. second.Items, cluster.Health(5)]);

        Assert.Equal((0, 4, 4, 5), (late.Ack, both.Ack, again.Ack, online.Ack));
        Assert.Equal([3, 4], late.AcceptedAboveAck);
        Assert.Empty(both.Refusals);

        Assert.Null(both.Desired);
        Assert.NotNull(online.Desired);
    }

    [Fact]
    public async Task Usage_in_a_bundle_counts_once()
    {
        using var cluster = await fixture.EnrollAsync();
        var hour = UsageWindow.HourOf(fixture.Host.Time.GetUtcNow()) - 2;
        var window = cluster.Request(cluster.Usage(cluster.Window(hour), 1));

        await cluster.HandInAsync(cluster.Part(window), cluster.Part(window));
        await cluster.CheckInAsync(window.Items[0]);
        var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Count > 0);

        Assert.Equal("accepted", Assert.Single(receipt.Results).Verdict);
    }

    [Fact]
    public async Task The_answer_is_signed_for_the_way_back_and_carries_receipts_and_no_other_section()
    {
        using var cluster = await fixture.EnrollAsync();
        var request = cluster.Request(cluster.Usage(cluster.Window(UsageWindow.HourOf(fixture.Host.Time.GetUtcNow()) - 2), 1), new Item { Seq = 3, Type = "nonsense" });
        await cluster.HandInAsync(cluster.Part(request));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count > 0);
        await WantAsync(Guid.Parse(cluster.Id), "remote");
        await Eventually.TrueAsync(async () => (await cluster.CheckInAsync()).Desired?.Sections.Any(section => section.Name == "remote") == true, "the section is there");

        var told = await cluster.HandInAsync(cluster.Part(request));
        var (answer, _) = cluster.Answer(told);

        Assert.Equal((cluster.Id, cluster.Epoch), (answer.ClusterId, answer.Epoch));
        Assert.Equal((told.Ack, told.AcceptedAboveAck), (answer.Response.Ack, answer.Response.AcceptedAboveAck));
        Assert.Equal(["receipts"], answer.Response.Desired.Sections.Select(section => section.Name));
        Assert.True(answer.Response.NextS > 3600);
        Assert.True(answer.Response.SignedAnswer.IsEmpty);
    }

    [Fact]
    public async Task Only_the_key_in_force_of_the_cluster_that_is_named_opens_the_door()
    {
        using var cluster = await fixture.EnrollAsync();
        using var other = await fixture.EnrollAsync();
        var request = cluster.Request(cluster.Event("forged", 1));
        var changed = request.Clone();
        changed.Items[0].AtMs++;
        var forged = JsonNode.Parse(cluster.Part(request))!;
        forged["payload"] = Convert.ToBase64String(changed.ToByteArray());
        var nobody = request.Clone();
        nobody.ClusterId = Guid.NewGuid().ToString("D");

        foreach (var (what, part) in new (string, byte[])[]
        {
            ("another payload under the signature", Encoding.UTF8.GetBytes(forged.ToJsonString())),
            ("another cluster's key", cluster.Part(request, other.Key)),
            ("a document of another type", cluster.Part(request, payloadType: UsageWindow.PayloadType)),
            ("a cluster that is not there", cluster.Part(nobody)),
        })
        {
            using var response = await cluster.UploadAsync(part);
            Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, what);
            Assert.Equal("bundle-signature-invalid", (await TestCluster.ProblemAsync(response)).Code);
        }

        Assert.Equal(0, (await cluster.CheckInAsync(cluster.Health(2))).Ack);
        Assert.Equal(2, (await cluster.HandInAsync(cluster.Part(request))).Ack);
    }

    [Fact]
    public async Task A_key_that_was_replaced_signs_no_more_bundles()
    {
        using var cluster = await fixture.EnrollAsync();
        using var old = cluster.Key;
        var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = fresh.ExportSubjectPublicKeyInfo();
        var request = new RotateRequest
        {
            Assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: "rotate"),
            NewPublicKey = ByteString.CopyFrom(spki),
            Proof = ByteString.CopyFrom(fresh.SignData([.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(cluster.Id), .. spki], HashAlgorithmName.SHA256)),
        };
        using var rotated = await cluster.SendAsync("rotate", request);
        var before = await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Health(1))));
        cluster.Key = fresh;
        await cluster.AuthorizeAsync();

        // Replicas learn of it within seconds, as they do of a suspension.
        await Eventually.TrueAsync(async () =>
        {
            using var refused = await cluster.UploadAsync(cluster.Part(cluster.Request(cluster.Health(2)), old));
            return refused.StatusCode == HttpStatusCode.Unauthorized;
        }, "the old key is refused");

        Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        Assert.Equal(1, before.Ack);
        Assert.Equal(3, (await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Health(2), cluster.Health(3))))).Ack);
    }

    [Fact]
    public async Task A_bundle_speaks_for_one_cluster()
    {
        using var cluster = await fixture.EnrollAsync();
        using var other = await fixture.EnrollAsync();

        using var response = await cluster.UploadAsync(cluster.Part(cluster.Request(cluster.Health(1))), other.Part(other.Request(other.Health(1))));

        Assert.Equal("cluster-mismatch", (await TestCluster.ProblemAsync(response)).Code);
        Assert.Equal(2, (await cluster.CheckInAsync(cluster.Health(2))).Ack);
        Assert.Equal(0, (await other.CheckInAsync(other.Health(2))).Ack);
    }

    [Fact]
    public async Task A_suspended_cluster_is_not_heard_and_a_decommissioned_one_never_again()
    {
        using var cluster = await fixture.EnrollAsync();
        var part = cluster.Part(cluster.Request(cluster.Health(1)));

        foreach (var (act, status, code) in new[] { ("suspend", HttpStatusCode.Forbidden, "cluster-suspended"), ("decommission", HttpStatusCode.Gone, "cluster-decommissioned") })
        {
            (await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{act}", new ReasonRequest("as the test wants it"))).EnsureSuccessStatusCode();
            using var response = await cluster.UploadAsync(part);
            Assert.Equal(status, response.StatusCode);
            Assert.Equal(code, (await TestCluster.ProblemAsync(response)).Code);
        }
    }

    [Fact]
    public async Task A_file_of_an_epoch_that_has_passed_is_refused_and_alarms_nobody()
    {
        using var cluster = await fixture.EnrollAsync();
        var old = cluster.Part(cluster.Request(cluster.Health(1)));
        using var granted = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" });
        cluster.Epoch = (await TestCluster.ReadAsync(granted, EpochResponse.Parser)).Epoch + 1;

        using var stale = await cluster.UploadAsync(old);
        using var unknown = await cluster.UploadAsync(cluster.Part(cluster.Request(cluster.Health(1))));
        var identity = await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}");

        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(stale)).Code);
        Assert.Equal("unknown-epoch", (await TestCluster.ProblemAsync(unknown)).Code);
        Assert.False(identity!.CloneSuspected);
    }

    [Fact]
    public async Task A_number_with_other_bytes_is_a_suspected_clone_and_what_came_before_it_stays()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(2));

        using var response = await cluster.UploadAsync(cluster.Part(cluster.Request(cluster.Health(1))), cluster.Part(cluster.Request(cluster.Event("other", 2), cluster.Health(3))));
        var identity = await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}");

        Assert.Equal("clone-suspected", (await TestCluster.ProblemAsync(response)).Code);
        Assert.True(identity!.CloneSuspected);
        Assert.Equal(2, identity.AcknowledgedThrough);
    }

    [Fact]
    public async Task What_nobody_takes_yet_and_what_is_wrong_is_refused_item_by_item_from_every_part()
    {
        using var cluster = await fixture.EnrollAsync();

        var answer = await cluster.HandInAsync(
            cluster.Part(cluster.Request(cluster.Health(1), new Item { Seq = 2, Type = "remote", Body = ByteString.CopyFromUtf8("x") })),
            cluster.Part(cluster.Request(new Item { Seq = 3, Type = "nonsense" }, cluster.Health(4))));

        Assert.Equal(1, answer.Ack);
        Assert.Equal([3, 4], answer.AcceptedAboveAck);
        Assert.Equal([("unsupported", false), ("unknown-type", true)], answer.Refusals.Select(refusal => (refusal.Code, refusal.Final)));
    }

    private async Task WantAsync(Guid cluster, string section)
    {
        await using var scope = fixture.Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
        scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new SetDesiredState(cluster, section, null, "for the cluster alone"u8.ToArray(), 1));
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
    }

    [Fact]
    public async Task What_is_no_bundle_is_refused_by_name()
    {
        using var cluster = await fixture.EnrollAsync();
        var twoNames = cluster.Request(cluster.Health(1)).ToByteArray().Concat(new CheckInRequest { ClusterId = Guid.NewGuid().ToString("D") }.ToByteArray()).ToArray();
        using var signer = EcdsaSigner.From(cluster.Key);
        (string Code, byte[] Body, string Type, string? Encoding)[] cases =
        [
            ("malformed-body", [], "application/x-ndjson", null),
            ("malformed-body", "\n\n\n"u8.ToArray(), "application/x-ndjson", null),
            ("malformed-body", "{}"u8.ToArray(), "application/x-ndjson", null),
            ("malformed-body", "{\"payload\":"u8.ToArray(), "application/x-ndjson", null),
            ("malformed-body", "{\"payload\":\"\\ud800\"}"u8.ToArray(), "application/x-ndjson", null),
            ("malformed-body", [0xff, 0xfe, 0x00], "application/x-ndjson", null),
            ("malformed-body", Dsse.Sign(BundlePart.PayloadType, twoNames, signer), "application/x-ndjson", null),
            ("malformed-body", Dsse.Sign(BundlePart.PayloadType, [.. new CheckInRequest { ClusterId = cluster.Id }.ToByteArray(), 0xff, 0xff], signer), "application/x-ndjson", null),
            ("invalid", cluster.Part(cluster.Request(cluster.Health(0))), "application/x-ndjson", null),
            ("unsupported-media-type", cluster.Part(cluster.Request(cluster.Health(1))), "application/json", null),
            ("unsupported-encoding", cluster.Part(cluster.Request(cluster.Health(1))), "application/x-ndjson", "gzip"),
        ];
        foreach (var (code, body, type, encoding) in cases)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
            if (encoding is not null)
            {
                content.Headers.ContentEncoding.Add(encoding);
            }

            using var response = await cluster.Http.PostAsync(new Uri("/callhome/v1/bundles", UriKind.Relative), content);
            Assert.Equal((code, Encoding.UTF8.GetString(body)), ((await TestCluster.ProblemAsync(response)).Code, Encoding.UTF8.GetString(body)));
        }

        Assert.Equal(1, (await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Health(1))))).Ack);
    }
}
