namespace MissionControl.Cli.Server;

/// <summary>A file that holds an API token and nothing else, for what runs while nobody is signed in: a token on the command line would be read by whoever sees the list of processes.</summary>
internal static class TokenFile
{
    private const int Longest = 4096;
    private const UnixFileMode Others = (UnixFileMode)0b111_111;

    /// <summary>Reads it.</summary>
    /// <exception cref="CommandFailure">It is not there, others can read it, or it is no token.</exception>
    public static string Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
            {
                throw new CommandFailure($"Others can read {Printable.Line(path)}, which holds a token, or could: chmod 600 it, and revoke the token where they have.");
            }

            using var reader = new StreamReader(file);
            var text = new char[Longest];
            var token = new string(text, 0, reader.ReadBlock(text)).Trim();
            return token is { Length: > 0 and < Longest } && token.All(c => c is > ' ' and <= '~') ? token : throw new CommandFailure($"{Printable.Line(path)} holds no token: it has one line, the token as it was shown.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{Printable.Line(path)} cannot be read: {exception.Message}");
        }
    }
}
