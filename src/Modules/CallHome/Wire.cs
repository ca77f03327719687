using System.Buffers;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Platform.Http;
using IMessage = Google.Protobuf.IMessage;

namespace MissionControl.CallHome;

/// <summary>Reads and writes call-home messages: protobuf, or its canonical JSON mapping, as Content-Type chooses.</summary>
internal static class Wire
{
    public const string Protobuf = "application/x-protobuf";
    private static readonly object IgnoredKey = new();
    private static readonly object LargeKey = new();

    /// <summary>So few bytes hold no more objects than memory can bear; the usual check-in is neither copied nor counted.</summary>
    private const int SmallBody = 16 * 1024;
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithRecursionLimit(32).WithIgnoreUnknownFields(true));

    /// <summary>Reads the body; writes the problem and returns null when it cannot.</summary>
    public static async ValueTask<T?> ReadAsync<T>(HttpContext context, MessageParser<T> parser, int maxCompressed = Limits.CompressedBytes, int maxInflated = Limits.InflatedBytes)
        where T : class, IMessage<T>, new()
    {
        var isJson = IsJson(context.Request);
        if (!isJson && context.Request.ContentType?.StartsWith(Protobuf, StringComparison.OrdinalIgnoreCase) != true)
        {
            await Problems.WriteAsync(context, ProblemCodes.UnsupportedMediaType, $"Send {Protobuf} or application/json.");
            return null;
        }

        if (!isJson && context.Request is { ContentLength: > 0 and <= SmallBody, Headers.ContentEncoding.Count: 0 })
        {
            return await ReadSmallAsync(context, parser, (int)context.Request.ContentLength);
        }

        using var body = await BodyReader.ReadAsync(context.Request, maxCompressed, maxInflated, context.RequestAborted);
        if (body.Refusal is not null)
        {
            await RefuseAsync(context, body.Refusal);
            return null;
        }

        if (body.Compressed > Limits.CompressedBytes || body.Length > Limits.InflatedBytes)
        {
            context.Items[LargeKey] = true;
        }

        try
        {
            if (!isJson)
            {
                if (body.Length > SmallBody && ProtobufShape.IsBeyond(body.Bytes.Span, new T().Descriptor, Protocol.CallHome.StrictJsonReader.MaxObjects))
                {
                    await RefuseAsync(context, BodyReader.TooLarge);
                    return null;
                }

                return Parse(context, parser, new ReadOnlySequence<byte>(body.Bytes));
            }

            if (!System.Text.Unicode.Utf8.IsValid(body.Bytes.Span))
            {
                await Problems.WriteAsync(context, ProblemCodes.MalformedBody, "The body is not UTF-8.");
                return null;
            }

            var findings = Protocol.CallHome.StrictJsonReader.Check(body.Bytes.Span, new T().Descriptor, UsageTextLimit);
            if (findings.IsBeyond)
            {
                await RefuseAsync(context, BodyReader.TooLarge);
                return null;
            }

            if (findings.Error is { } error)
            {
                await Problems.WriteAsync(context, ProblemCodes.MalformedBody, error);
                return null;
            }

            context.Items[IgnoredKey] = findings.UnknownFields;

            return Parser.Parse<T>(System.Text.Encoding.UTF8.GetString(body.Bytes.Span));
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or System.Text.DecoderFallbackException)
        {
            await Problems.WriteAsync(context, ProblemCodes.MalformedBody, exception.Message);
            return null;
        }
    }

    /// <summary>The fields of the request that this version does not know.</summary>
    public static IReadOnlyList<string> Ignored(HttpContext context) => context.Items[IgnoredKey] as IReadOnlyList<string> ?? [];

    /// <summary>Whether the body was larger than any may be that carries no usage.</summary>
    public static bool IsLarge(HttpContext context) => context.Items.ContainsKey(LargeKey);

    private static T Parse<T>(HttpContext context, MessageParser<T> parser, ReadOnlySequence<byte> body)
        where T : class, IMessage<T>
    {
        var message = (Known<T>.Parser ??= parser.WithDiscardUnknownFields(true)).ParseFrom(body);

        // What was written and is not there any more is what this version does not know; only then is it looked for.
        if (message.CalculateSize() != body.Length)
        {
            context.Items[IgnoredKey] = Protocol.CallHome.UnknownFields.In(body.ToArray(), message.Descriptor);
        }

        return message;
    }

    /// <summary>A body that fits the server's own buffers is parsed where it lies.</summary>
    private static async ValueTask<T?> ReadSmallAsync<T>(HttpContext context, MessageParser<T> parser, int length)
        where T : class, IMessage<T>
    {
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAtLeastAsync(length, context.RequestAborted);
        string error;
        try
        {
            return Parse(context, parser, read.Buffer.Slice(0, length));
        }
        catch (InvalidProtocolBufferException exception)
        {
            error = exception.Message;
        }
        finally
        {
            reader.AdvanceTo(read.Buffer.End);
        }

        await Problems.WriteAsync(context, ProblemCodes.MalformedBody, error);
        return null;
    }

    /// <summary>Answers in the encoding of the request. Size first: writing through the body writer without a length fails in Kestrel.</summary>
    public static async Task WriteAsync(HttpContext context, IMessage message)
    {
        if (IsJson(context.Request))
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(Formatter.Format(message), context.RequestAborted);
            return;
        }

        var size = message.CalculateSize();
        context.Response.ContentType = Protobuf;
        context.Response.ContentLength = size;
        Write(context.Response.BodyWriter, message, size);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Answers in JSON, whatever the request was: a person may read it.</summary>
    public static Task WriteJsonAsync(HttpContext context, IMessage message)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(Formatter.Format(message), context.RequestAborted);
    }

    /// <summary>Parses a message that came inside another document; null with the reason when it cannot be read.</summary>
    public static T? TryParse<T>(ReadOnlyMemory<byte> bytes, MessageParser<T> parser, out string? refusal)
        where T : class, IMessage<T>, new()
    {
        if (bytes.Length > SmallBody && ProtobufShape.IsBeyond(bytes.Span, new T().Descriptor, Protocol.CallHome.StrictJsonReader.MaxObjects))
        {
            refusal = BodyReader.TooLarge;
            return null;
        }

        try
        {
            refusal = null;
            return (Known<T>.Parser ??= parser.WithDiscardUnknownFields(true)).ParseFrom(new ReadOnlySequence<byte>(bytes));
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or System.Text.DecoderFallbackException)
        {
            refusal = BodyReader.Malformed;
            return null;
        }
    }

    // Bodies of items are base64 in JSON: one usage window is the longest text there is.
    private const int UsageTextLimit = Limits.UsageInflatedBytes;

    private static void Write(System.IO.Pipelines.PipeWriter writer, IMessage message, int size)
    {
        var span = writer.GetSpan(size)[..size];
        message.WriteTo(span);
        writer.Advance(size);
    }

    /// <summary>The parser that drops what it does not know, made once.</summary>
    private static class Known<T>
        where T : class, IMessage<T>
    {
        public static MessageParser<T>? Parser { get; set; }
    }

    private static bool IsJson(HttpRequest request) => request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Answers what <see cref="BodyReader"/> refused.</summary>
    public static Task RefuseAsync(HttpContext context, string refusal)
    {
        if (refusal == BodyReader.TooLarge)
        {
            context.Response.Headers["MC-Limits"] = Limits.Header;
            return Problems.WriteAsync(context, ProblemCodes.PayloadTooLarge, $"Send fewer items at once. Limits: {Limits.Header}.");
        }

        return refusal == BodyReader.UnsupportedEncoding
            ? Problems.WriteAsync(context, ProblemCodes.UnsupportedEncoding, "Content-Encoding may be gzip, br or identity.")
            : Problems.WriteAsync(context, ProblemCodes.MalformedBody, "The compressed body cannot be inflated.");
    }
}
