using System.Net;
using System.Text;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>What a witness from outside has answered.</summary>
internal enum OutsideOutcome
{
    /// <summary>It has seen the checkpoint, and says so.</summary>
    Cosigned,

    /// <summary>It has seen another size, and has to be shown the way from there.</summary>
    Conflict,

    /// <summary>What it was shown is not what it had seen, or is signed by no key that it believes.</summary>
    Refused,

    /// <summary>It said nothing that helps.</summary>
    Failed,
}

/// <summary>An answer.</summary>
/// <param name="Outcome">What it comes to.</param>
/// <param name="Text">The line under the note; or why.</param>
/// <param name="Size">The size that it has, as it says; null: it says none.</param>
internal sealed record OutsideAnswer(OutsideOutcome Outcome, string Text, long? Size = null);

/// <summary>Shows a checkpoint to a witness by HTTP (C2SP tlog-witness). Whatever it answers is bounded, and believed as far as it can be verified.</summary>
internal static class WitnessClient
{
    private const int LongestAnswer = 16 * 1024;
    private const string SizeType = "text/x.tlog.size";

    /// <summary>Asks once.</summary>
    public static async Task<OutsideAnswer> AskAsync(HttpClient http, OutsideWitness witness, AddCheckpoint request, CancellationToken cancellationToken)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, witness.Address) { Content = new ByteArrayContent(request.ToBytes()) };
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            await response.Content.LoadIntoBufferAsync(LongestAnswer, cancellationToken);
            return Judge(witness, request, response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            return new OutsideAnswer(OutsideOutcome.Failed, "it did not answer in time");
        }
        catch (HttpRequestException exception)
        {
            return new OutsideAnswer(OutsideOutcome.Failed, exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded ? "it answers more than a witness has to say" : (exception.InnerException ?? exception).Message);
        }
    }

    private static OutsideAnswer Judge(OutsideWitness witness, AddCheckpoint request, HttpStatusCode status, string? type, byte[] body) => status switch
    {
        HttpStatusCode.OK => Verify(witness, request.Note.Text, body) is { } line
            ? new OutsideAnswer(OutsideOutcome.Cosigned, line, Checkpoint.Parse(request.Note.Text).Size)
            : new OutsideAnswer(OutsideOutcome.Failed, "its cosignature is not its own over what it was shown"),
        HttpStatusCode.Conflict when type == SizeType && TryReadSize(body, out var size) => Judge(request, size),
        HttpStatusCode.Forbidden => new OutsideAnswer(OutsideOutcome.Refused, "signature"),
        HttpStatusCode.UnprocessableEntity => new OutsideAnswer(OutsideOutcome.Refused, "inconsistent", request.Old),
        HttpStatusCode.NotFound => new OutsideAnswer(OutsideOutcome.Failed, "it does not know the anchor by its origin"),
        _ => new OutsideAnswer(OutsideOutcome.Failed, $"it answered {(int)status}"),
    };

    // One that has as many entries as it is shown, and was shown the way from there, has another root.
    private static OutsideAnswer Judge(AddCheckpoint request, long size)
    {
        var shown = Checkpoint.Parse(request.Note.Text).Size;
        return size > shown ? new OutsideAnswer(OutsideOutcome.Refused, "ahead", size)
            : size != request.Old ? new OutsideAnswer(OutsideOutcome.Conflict, "", size)
            : size == shown ? new OutsideAnswer(OutsideOutcome.Refused, "fork", size)
            : new OutsideAnswer(OutsideOutcome.Failed, "it wants to be shown the way from where it was shown it");
    }

    private static string? Verify(OutsideWitness witness, string text, byte[] body)
    {
        using var key = witness.Key();
        try
        {
            // What it put in front of its signatures would be text that nobody here has signed.
            var note = SignedNote.Parse([.. Encoding.UTF8.GetBytes($"{text}\n"), .. body]);
            return note.Text == text && note.Open([key]).Verified.Count == 1 ? note.Signatures.First(key.Owns).ToString() : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static bool TryReadSize(byte[] body, out long size)
    {
        size = 0;
        return body is { Length: > 1 and <= 20 } && body[^1] == '\n' && long.TryParse(body.AsSpan(..^1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out size);
    }
}
