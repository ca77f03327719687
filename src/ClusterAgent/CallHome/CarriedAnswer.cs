using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>What Mission Control answered to a bundle, carried back by a person. Its signature is believed, the way it took is not.</summary>
/// <param name="Response">As for a check-in.</param>
/// <param name="Anchors">A newer anchor document; empty when there is none.</param>
public sealed record CarriedAnswer(CheckInResponse Response, ByteString Anchors)
{
    /// <summary>Largest file that is read: far beyond what a thousand refusals and two hundred results come to.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Opens the file as it was answered.</summary>
    /// <param name="file">The body of the answer.</param>
    /// <param name="enrollment">Whose answer it must be, and what is trusted.</param>
    /// <exception cref="CryptographicException">It is no answer, of another cluster or epoch, or signed by nobody who is trusted.</exception>
    public static CarriedAnswer Open(ReadOnlySpan<byte> file, Enrollment enrollment)
    {
        ArgumentNullException.ThrowIfNull(enrollment);
        var told = Read(file);
        var held = enrollment.Anchors ?? throw new CryptographicException("The anchors of this enrolment are not known here; answers cannot be checked.");
        var anchors = told.Anchors.IsEmpty ? CallHome.Anchors.Verify(held) : CallHome.Anchors.Newer(held, told.Anchors.Span);
        if (!Dsse.TryVerify(told.SignedAnswer.Span, BundlePart.AnswerPayloadType, CallHome.Anchors.KeysFor(anchors, "answer"), out var verified, out var error, MaxBytes))
        {
            throw new CryptographicException($"The answer is not to be trusted: {error} Export anew and bring the answer to that.");
        }

        var answer = BundleAnswer.Parser.ParseFrom(verified.Payload);
        if (answer.ClusterId != enrollment.ClusterId.ToString("D"))
        {
            throw new CryptographicException($"This is an answer to cluster {answer.ClusterId}; here is {enrollment.ClusterId}.");
        }

        return answer.Epoch == enrollment.Epoch
            ? new CarriedAnswer(answer.Response, told.Anchors)
            : throw new CryptographicException($"This is an answer to epoch {answer.Epoch}; {enrollment.Epoch} is in force here. Export anew.");
    }

    private static CheckInResponse Read(ReadOnlySpan<byte> file)
    {
        try
        {
            var told = new JsonParser(JsonParser.Settings.Default.WithIgnoreUnknownFields(true)).Parse<CheckInResponse>(System.Text.Encoding.UTF8.GetString(file));
            return told.SignedAnswer.IsEmpty ? throw new CryptographicException("This is no answer to a bundle: nothing in it is signed. If the upload was refused, the file says why.") : told;
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or FormatException)
        {
            throw new CryptographicException("This is no answer to a bundle. Save what the upload answered, as it came.", exception);
        }
    }
}

/// <summary>Answers that were carried here and wait for the agent: a directory, so that they are taken beside a running one and after a crash.</summary>
/// <param name="directory">Where they lie.</param>
public sealed class AnswerBox(string directory)
{
    /// <summary>Keeps an answer until the agent has taken it; the same one twice is one.</summary>
    public void Put(ReadOnlySpan<byte> answer)
    {
        DurableFile.CreateDirectory(directory);
        DurableFile.Write(Path.Combine(directory, $"{Convert.ToHexStringLower(SHA256.HashData(answer))}.json"), answer);
    }

    /// <summary>The files that wait.</summary>
    public IReadOnlyList<string> Waiting() => Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal)] : [];

    /// <summary>Hands over what waits, one after the other; what cannot be believed is thrown away, what cannot be read or kept now stays.</summary>
    /// <param name="take">Takes an answer.</param>
    /// <param name="before">What to go on saying when none waits.</param>
    /// <returns>Why the last one was not taken; null when it was.</returns>
    public string? Take(Action<byte[]> take, string? before)
    {
        ArgumentNullException.ThrowIfNull(take);
        var problem = before;
        try
        {
            foreach (var file in Waiting())
            {
                try
                {
                    take(File.ReadAllBytes(file));
                    problem = null;
                }
                catch (CryptographicException exception)
                {
                    problem = exception.Message;
                }

                File.Delete(file);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = $"An answer that was carried here waits: {exception.Message}{(exception is UnauthorizedAccessException ? " Run mc-agent import as the user that the agent runs as." : "")}";
        }

        return problem;
    }
}
