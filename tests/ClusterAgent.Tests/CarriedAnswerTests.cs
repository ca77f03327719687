using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>What a person brings back is believed for its signature, and for nothing else.</summary>
public sealed class CarriedAnswerTests : IDisposable
{
    private static readonly Guid Cluster = Guid.CreateVersion7();
    private readonly EcdsaSigner root = EcdsaSigner.Create();
    private readonly EcdsaSigner answers = EcdsaSigner.Create();
    private readonly EcdsaSigner receipts = EcdsaSigner.Create();
    private readonly EcdsaSigner later = EcdsaSigner.Create();

    private Enrollment Here => new(new Uri("https://localhost"), Cluster, 2, "sha256:", false, 60, 10, AnchorsOf(1, ("root", root), ("answer", answers), ("receipt", receipts)));

    public void Dispose()
    {
        foreach (var key in new[] { root, answers, receipts, later })
        {
            key.Dispose();
        }
    }

    [Fact]
    public void The_answer_to_this_cluster_and_epoch_is_opened()
    {
        var (response, anchors) = CarriedAnswer.Open(Answer(answers), Here);

        Assert.Equal(7, response.Ack);
        Assert.True(anchors.IsEmpty);
    }

    [Fact]
    public void Whatever_else_is_carried_here_changes_nothing()
    {
        var told = new CheckInResponse { Ack = 900, SignedAnswer = JsonParser.Default.Parse<CheckInResponse>(Encoding.UTF8.GetString(Answer(answers))).SignedAnswer };
        (string Why, byte[] File)[] cases =
        [
            ("signed by the key for receipts", Answer(receipts)),
            ("signed by a key of nobody", Answer(later)),
            ("of another cluster", Answer(answers, cluster: Guid.NewGuid())),
            ("of an epoch that has passed", Answer(answers, epoch: 1)),
            ("a receipt in its place", Answer(answers, type: UsageReceipt.PayloadType)),
            ("a bundle in its place", Answer(answers, type: BundlePart.PayloadType)),
            ("a refusal", Encoding.UTF8.GetBytes("""{"type":"/problems/stale-epoch","status":409,"code":"stale-epoch"}""")),
            ("no document", "not json"u8.ToArray()),
            ("nothing", []),
            ("newer anchors of another root", Answer(later, anchors: AnchorsOf(2, ("root", later), ("answer", later)))),
        ];

        Assert.All(cases, each => Assert.True(Throws(each.File), each.Why));

        // What stands beside the signed answer is for people, and says nothing to the agent.
        Assert.Equal(7, CarriedAnswer.Open(Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(told)), Here).Response.Ack);
    }

    [Fact]
    public void A_key_that_newer_anchors_name_is_believed_when_a_held_root_signed_them_and_older_anchors_do_no_harm()
    {
        var newer = AnchorsOf(2, ("root", root), ("answer", later));

        Assert.Equal(7, CarriedAnswer.Open(Answer(later, anchors: newer), Here).Response.Ack);
        Assert.False(CarriedAnswer.Open(Answer(later, anchors: newer), Here with { Anchors = AnchorsOf(3, ("root", root), ("answer", later)) }).Anchors.IsEmpty);
        Assert.True(Throws(Answer(answers, anchors: newer)));
    }

    [Fact]
    public async Task An_agent_that_is_offline_takes_what_lies_in_its_box_and_never_calls_home()
    {
        var directory = Directory.CreateTempSubdirectory("mc-answers-");
        try
        {
            using var identity = new MemoryIdentity { Enrollment = Here };
            var spool = new MemorySpool();
            var (box, quarantine) = (new AnswerBox(Path.Combine(directory.FullName, "answers")), new Quarantine(Path.Combine(directory.FullName, "quarantine")));
            using var http = new HttpClient(new NoWay()) { BaseAddress = new Uri("https://localhost") };
            using var cluster = new LocalCluster("Oslo", new LinuxMachine(TimeProvider.System), new CertificateFiles([]), null, Masking.In(directory.FullName, new PrivacySettings()), TimeProvider.System);
            var agent = new Agent(identity, spool, cluster, new CallHomeClient(http, identity, TimeProvider.System), TimeProvider.System, new Random(1), quarantine: quarantine, answers: box, offline: true);
            for (var i = 0; i < 10; i++)
            {
                spool.Add("event", 1, [1]);
            }

            var answer = Answer(answers, refused: 9);
            box.Put(answer);
            box.Put(answer);
            box.Put(Answer(receipts));
            Assert.Equal(2, box.Waiting().Count);
            var step = await agent.StepAsync(CancellationToken.None);

            Assert.Null(step.CheckIn!.Problem);
            Assert.Empty(box.Waiting());
            Assert.Equal([9, 10], spool.Peek(20, int.MaxValue, new HashSet<long>()).Where(item => item.Type == "event").Select(item => item.Seq).Order());
            Assert.Equal("nonsense", Assert.Single(quarantine.Read()).Code);

            // An older answer acknowledges less, which takes nothing back.
            box.Put(Answer(answers, ack: 3));
            await agent.StepAsync(CancellationToken.None);
            Assert.Null(agent.AnswerProblem);
            box.Put("{}"u8);
            await agent.StepAsync(CancellationToken.None);
            Assert.Contains("no answer", agent.AnswerProblem, StringComparison.Ordinal);
            Assert.Equal(2, spool.Peek(20, int.MaxValue, new HashSet<long>()).Count(item => item.Type == "event"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private bool Throws(byte[] file) => Record.Exception(() => CarriedAnswer.Open(file, Here)) is CryptographicException;

    private byte[] Answer(EcdsaSigner key, Guid? cluster = null, long epoch = 2, string type = BundlePart.AnswerPayloadType, byte[]? anchors = null, long ack = 7, long refused = 0)
    {
        var response = new CheckInResponse { Ack = ack, AcceptedAboveAck = { 8 } };
        if (refused > 0)
        {
            response.Refusals.Add(new ItemRefusal { Seq = refused, Code = "nonsense", Final = true });
        }

        var answer = new BundleAnswer { ClusterId = (cluster ?? Cluster).ToString("D"), Epoch = epoch, Response = response };
        return Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(new CheckInResponse
        {
            Ack = ack,
            SignedAnswer = ByteString.CopyFrom(Dsse.Sign(type, answer.ToByteArray(), key)),
            Anchors = anchors is null ? ByteString.Empty : ByteString.CopyFrom(anchors),
        }));
    }

    private byte[] AnchorsOf(long version, params (string Use, EcdsaSigner Key)[] keys)
    {
        var now = DateTimeOffset.UnixEpoch;
        var document = new AnchorDocument(1, version, now, [.. keys.Select(key => new AnchorKey(key.Key.KeyId, "ES256", key.Key.PublicKeySpki, [key.Use], now, now.AddYears(20)))]);
        return Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), keys.First(key => key.Use == "root").Key);
    }

    private sealed class NoWay : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new InvalidOperationException("An agent that is offline called home.");
    }
}
