using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.CallHome.DesiredState;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// <c>POST /callhome/v1/bundles</c>: the items of a cluster without a connection, carried here in a file by whoever. Each line is a
/// check-in in an envelope that the cluster signed; the signature is the credential. Line by line it is verified and taken as a
/// check-in is, so that a file of any size costs the memory of a line, and whatever comes twice or in another order does no harm.
/// The answer holds itself once more, signed, for the way back.
/// </summary>
internal sealed class Bundles(
    Handover handover, ClusterDirectory directory, Wanted wanted, DataDirectory data, IOptions<CallHomeOptions> options, TimeProvider time) : IDisposable
{
    private const string ContentType = "application/x-ndjson";
    /// <summary>For a line to come: the places are few, and anybody may take one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// What of the desired state a person may carry: only what is signed by itself and no secret, for whoever holds a bundle is given
    /// its answer.
    /// </summary>
    private static readonly string[] Carried = ["receipts", "lease"];

    private readonly BundlePlaces places = new(time);
    private readonly SignerRing key = new(data.PathOf("keys/answer.pem"), time);

    public static void Map(IEndpointRouteBuilder callhome)
    {
        var services = callhome.ServiceProvider;
        callhome.MapPost("/bundles", context => services.GetRequiredService<Bundles>().HandleAsync(context))
            .AllowAnonymous().WithName("TakeBundle").WithSummary("Hand in the items of a cluster without a connection").ExcludeFromDescription();
    }

    public void Dispose() => key.Dispose();

    private async Task HandleAsync(HttpContext context)
    {
        if (await RefuseFormAsync(context) || await handover.RefuseAllAsync(context))
        {
            return;
        }

        // Anybody may send one: what they take of memory is bounded for all of them together.
        using var place = places.Take();
        if (place is null)
        {
            await Handover.ShedAsync(context);
            return;
        }

        try
        {
            await TakeAsync(context, place);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            await Wire.RefuseAsync(context, BodyReader.TooLarge);
        }
        catch (TimeoutException)
        {
            // Lines before it are kept, and coming again they do no harm.
            await Handover.ShedAsync(context);
        }
    }

    private static async ValueTask<bool> RefuseFormAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) != true)
        {
            await Problems.WriteAsync(context, ProblemCodes.UnsupportedMediaType, $"Send {ContentType}: an envelope a line.");
            return true;
        }

        if (context.Request.Headers.ContentEncoding.ToString() is not ("" or "identity"))
        {
            await Problems.WriteAsync(context, ProblemCodes.UnsupportedEncoding, "A bundle is sent as it is, without compression.");
            return true;
        }

        if (context.Request.ContentLength > Limits.BundleBytes)
        {
            await Wire.RefuseAsync(context, BodyReader.TooLarge);
            return true;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = Limits.BundleBytes;
        }

        return false;
    }

    private async Task TakeAsync(HttpContext context, BundlePlaces.Place place)
    {
        var next = options.Value.BundleDays * 86_400;
        KnownCluster? cluster = null;
        CheckInRequest? last = null;
        CheckInResponse? answer = null;
        var refusals = new List<ItemRefusal>();
        using var lines = new Lines(context.Request.Body);
        while (await NextAsync(lines, place, context.RequestAborted))
        {
            if (lines.Current.Length > Limits.BundlePartBytes)
            {
                await Wire.RefuseAsync(context, BodyReader.TooLarge);
                return;
            }

            if (await ReadAsync(context, lines.Current, cluster) is not var (sender, part) || await handover.TakeAsync(context, sender, part, next, isCarried: true) is not { } outcome)
            {
                return;
            }

            (cluster, last) = (sender, part);
            refusals.AddRange(outcome.Refusals.Take(Limits.BundleRefusals - refusals.Count));
            answer = handover.Acknowledge(outcome, next);
        }

        if (answer is null)
        {
            await Problems.WriteAsync(context, ProblemCodes.MalformedBody, "The bundle is empty. It holds an envelope a line.");
            return;
        }

        answer.Refusals.Clear();
        answer.Refusals.AddRange(refusals);
        await Wire.WriteJsonAsync(context, await SignAsync(answer, cluster!, last!, context.RequestAborted));
    }

    /// <summary>Whoever carries the file reads what became of it; the cluster believes what is signed. A newer anchor document stands outside: by it the signature may have to be verified.</summary>
    private async Task<CheckInResponse> SignAsync(CheckInResponse told, KnownCluster cluster, CheckInRequest part, CancellationToken cancellationToken)
    {
        var signed = new BundleAnswer { ClusterId = cluster.Id.ToString("D"), Epoch = part.Epoch, Response = told.Clone() };
        await wanted.AddAsync(signed.Response, cluster, part, cancellationToken);
        if (signed.Response.Desired is { } desired)
        {
            foreach (var section in desired.Sections.Where(section => !Carried.Contains(section.Name)).ToList())
            {
                desired.Sections.Remove(section);
            }
        }

        told.Anchors = signed.Response.Anchors;
        signed.Response.Anchors = ByteString.Empty;
        told.SignedAnswer = UnsafeByteOperations.UnsafeWrap(Dsse.Sign(BundlePart.AnswerPayloadType, signed.ToByteArray(), key.Current));
        return told;
    }

    private async ValueTask<bool> NextAsync(Lines lines, BundlePlaces.Place place, CancellationToken aborted)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, place.Lost, aborted);
        place.Waits();
        try
        {
            return await lines.NextAsync(either.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        finally
        {
            place.HasLine();
        }
    }

    private async Task<(KnownCluster Sender, CheckInRequest Part)?> ReadAsync(HttpContext context, ReadOnlyMemory<byte> line, KnownCluster? before)
    {
        if (ClusterOf(line.Span) is not { } id)
        {
            await Problems.WriteAsync(context, ProblemCodes.MalformedBody, "A line is no DSSE envelope over a check-in that begins with its cluster_id.");
            return null;
        }

        if (before is not null && before.Id != id)
        {
            await Problems.WriteAsync(context, ProblemCodes.ClusterMismatch, "A bundle holds the items of one cluster. Send those of another in a file of their own.");
            return null;
        }

        // One answer for a cluster that is not there and for a key that is not its own: nobody learns which clusters there are.
        // And no look into the database for whoever has proved nothing: what enrolled elsewhere is known here within two seconds.
        var cluster = before ?? (directory.TryGet(id, out var known) ? known : null);
        if (!Dsse.TryVerify(line.Span, BundlePart.PayloadType, kid => cluster?.KeyInForce(kid, time.GetUtcNow()), out var verified, out _, Limits.BundlePartBytes))
        {
            await Problems.WriteAsync(context, ProblemCodes.BundleSignatureInvalid, $"Each line is a DSSE envelope of type {BundlePart.PayloadType}, signed by the key in force of the cluster that it names. Export it anew.");
            return null;
        }

        if (await Handover.RefuseStateAsync(context, cluster!))
        {
            return null;
        }

        if (Wire.TryParse(verified.Payload, CheckInRequest.Parser, out var refusal) is not { } part)
        {
            await Wire.RefuseAsync(context, refusal!);
            return null;
        }

        if (part.ClusterId != cluster!.Id.ToString("D"))
        {
            await Problems.WriteAsync(context, ProblemCodes.MalformedBody, "A line names two clusters.");
            return null;
        }

        return (cluster, part);
    }

    /// <summary>Whom an envelope claims to come from, so that its keys can be looked up; nothing of it is believed yet.</summary>
    private static Guid? ClusterOf(ReadOnlySpan<byte> envelope)
    {
        // Field 1, a text of 36 bytes, is 38 bytes; 39 are 52 characters of base64.
        Span<byte> head = stackalloc byte[39];
        try
        {
            var reader = new Utf8JsonReader(envelope);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("payload"u8) && reader.Read())
                {
                    var text = reader.TokenType != JsonTokenType.String ? [] : reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;
                    return text.Length >= 52 && Base64.DecodeFromUtf8(text[..52], head, out _, out var length) == OperationStatus.Done && length == 39
                        && head[0] == 0x0a && head[1] == 36 && Guid.TryParseExact(Encoding.ASCII.GetString(head[2..38]), "D", out var id) ? id : null;
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // No envelope, so nobody's.
        }

        return null;
    }

    /// <summary>Reads a body line by line into one buffer, which grows to what a line may have and a byte more.</summary>
    private sealed class Lines(Stream body) : IDisposable
    {
        private byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        private int start;
        private int end;
        private int searched;
        private bool ended;

        /// <summary>The line, without what ends it; longer than a line may be when it is.</summary>
        public ReadOnlyMemory<byte> Current { get; private set; }

        /// <summary>Goes on to the next line that is not empty; false at the end.</summary>
        public async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                var at = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
                if (at >= 0 || ended || end - start > Limits.BundlePartBytes)
                {
                    var stop = at >= 0 ? searched + at : end;
                    Current = buffer.AsMemory(start, stop - start);
                    start = searched = Math.Min(stop + 1, end);
                    if (Current.Length > 0)
                    {
                        return true;
                    }

                    if (ended && start == end)
                    {
                        return false;
                    }

                    continue;
                }

                searched = end;
                MakeRoom();
                var read = await body.ReadAsync(buffer.AsMemory(end), cancellationToken);
                end += read;
                ended = read == 0;
            }
        }

        public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

        private void MakeRoom()
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (end, searched, start) = (end - start, searched - start, 0);
            }

            if (end == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 2, Limits.BundlePartBytes + 64 * 1024));
                buffer.AsSpan(0, end).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
    }
}
