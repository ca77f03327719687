using System.Text;
using System.Text.Json;

namespace MissionControl.Cli.Api;

/// <summary>What is sent: JSON, which is looked at before anything is sent.</summary>
internal static class ApiBody
{
    private const int Longest = 64 * 1024 * 1024;

    /// <summary>Reads it.</summary>
    /// <param name="data">The JSON itself, <c>@</c> and a file, or <c>-</c> for standard input.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CommandFailure">It cannot be read, or is no JSON.</exception>
    public static async Task<byte[]> ReadAsync(string data, CancellationToken cancellationToken)
    {
        var bytes = data == "-" ? await ReadAsync(Console.OpenStandardInput, "Standard input", cancellationToken)
            : data.StartsWith('@') ? await ReadAsync(() => File.OpenRead(data[1..]), data[1..], cancellationToken)
            : Encoding.UTF8.GetBytes(data);

        // Some editors write a mark at the begin, which is no part of JSON (RFC 8259, 8.1).
        var body = bytes.AsMemory(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0);
        try
        {
            using var document = JsonDocument.Parse(body);
        }
        catch (JsonException mistake)
        {
            throw new CommandFailure($"--data is no JSON: {Printable.Line(mistake.Message)}");
        }

        return body.ToArray();
    }

    private static async Task<byte[]> ReadAsync(Func<Stream> open, string name, CancellationToken cancellationToken)
    {
        try
        {
            await using var from = open();
            using var bytes = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var length)
            {
                bytes.Write(buffer.AsSpan(0, length));
                if (bytes.Length > Longest)
                {
                    throw new CommandFailure($"{Printable.Line(name)} is longer than 64 MiB.");
                }
            }

            return bytes.ToArray();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure($"{Printable.Line(name)} cannot be read: {Printable.Line(exception.Message)}");
        }
    }
}
