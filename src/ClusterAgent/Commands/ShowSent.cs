using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent.Sent;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent show-sent</c>: what left this machine, and whether a captured body is one of them.</summary>
internal static class ShowSent
{
    public static Command Create()
    {
        var last = new Option<int>("--last") { Description = "How many, the newest.", DefaultValueFactory = _ => 20 };
        var bodies = new Option<bool>("--bodies") { Description = "Also what each said, as JSON." };
        var verify = new Option<FileInfo?>("--verify") { Description = "A body that a TLS-inspecting proxy captured, compressed or not: exit code 0 when this agent wrote down exactly these bytes, 1 when it did not." };
        var command = new Command("show-sent", "Show what left this machine. Examples: mc-agent show-sent --last 5 --bodies; mc-agent show-sent --verify captured.bin") { last, bodies, verify };
        command.SetAction(async parsed =>
        {
            var writer = parsed.InvocationConfiguration.Output;
            var json = parsed.GetValue(Shared.Output) == "json";
            var sent = SentLog.Read(Path.Combine(Shared.DataOf(parsed), "sent"));
            if (parsed.GetValue(verify) is { } file)
            {
                var digest = SentLog.Digest(await File.ReadAllBytesAsync(file.FullName));
                var match = sent.LastOrDefault(body => body.Sha256 == digest || body.InflatedSha256 == digest);
                await writer.WriteLineAsync(json
                    ? JsonSerializer.Serialize(new { sha256 = digest, found = match is not null, at = match?.At, url = match?.Url }, JsonSerializerOptions.Web)
                    : match is null ? $"{digest}: not in the log. This agent did not send these bytes, or longer ago than the log goes back." : $"{digest}: sent {Instant(match.At)} to {match.Url}, {Answer(match)}.");
                return match is null ? 1 : 0;
            }

            foreach (var body in sent.TakeLast(parsed.GetValue(last)))
            {
                if (json)
                {
                    await writer.WriteLineAsync(JsonSerializer.Serialize(
                        new { at = body.At, url = body.Url, bytes = body.Bytes, encoding = body.Encoding, sha256 = body.Sha256, status = body.Status, outcome = body.Outcome, content = parsed.GetValue(bodies) ? Content(body) : null },
                        JsonSerializerOptions.Web));
                    continue;
                }

                await writer.WriteLineAsync($"{Instant(body.At)}  {body.Url.AbsolutePath,-24}  {body.Bytes.ToString(CultureInfo.InvariantCulture),8} bytes  {Answer(body),-28}  {body.Sha256}");
                if (parsed.GetValue(bodies))
                {
                    await writer.WriteLineAsync(JsonSerializer.Serialize(Content(body), Indented));
                }
            }

            return 0;
        });
        return command;
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Answer(SentBody body) => body.Status is { } status ? $"{status}{(body.Outcome is null ? "" : $" {body.Outcome}")}" : body.Outcome ?? "no answer";

    /// <summary>A check-in in words: the message, with the body of every item in place of its bytes.</summary>
    private static JsonElement? Content(SentBody body)
    {
        if (body.Body is null)
        {
            return body.Content;
        }

        if (!body.Url.AbsolutePath.EndsWith("/checkin", StringComparison.Ordinal))
        {
            return null;
        }

        var request = CheckInRequest.Parser.ParseFrom(body.Body);
        var bare = request.Clone();
        bare.Items.Clear();
        var node = JsonSerializer.SerializeToNode(Element(bare))!.AsObject();
        node["items"] = JsonSerializer.SerializeToNode(request.Items.Select(item => new { seq = item.Seq, type = item.Type, at = DateTimeOffset.FromUnixTimeMilliseconds(item.AtMs), body = Body(item) }));
        return node.Deserialize<JsonElement>();
    }

    private static JsonElement Body(Item item) => item.Type switch
    {
        "health" => Element(Health.Parser.ParseFrom(item.Body)),
        "event" => Element(Event.Parser.ParseFrom(item.Body)),
        "inventory" => Element(Inventory.Parser.ParseFrom(item.Body)),
        "witness" => Element(WitnessAnswers.Parser.ParseFrom(item.Body)),
        "usage" => Envelope(item.Body),
        _ => JsonSerializer.SerializeToElement(item.Body.ToBase64()),
    };

    // The signed payload is shown beside its signature as what it is: JSON.
    private static JsonElement Envelope(ByteString envelope)
    {
        using var document = JsonDocument.Parse(envelope.Memory);
        var payload = Encoding.UTF8.GetString(document.RootElement.GetProperty("payload").GetBytesFromBase64());
        return JsonSerializer.SerializeToElement(new { payload = JsonSerializer.Deserialize<JsonElement>(payload), signatures = document.RootElement.GetProperty("signatures").Clone() });
    }

    private static JsonElement Element(IMessage message) => JsonSerializer.Deserialize<JsonElement>(JsonFormatter.Default.Format(message));
}
