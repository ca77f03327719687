using System.Diagnostics;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>The enrolment token goes to the address that is given: never in clear to another machine.</summary>
public sealed class ServerAddressTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-server-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("http://mc.example.com:9080")]
    [InlineData("http://192.0.2.1")]
    [InlineData("http://localhost.example.com")]
    [InlineData("ftp://localhost")]
    public async Task An_address_that_is_not_encrypted_is_wrong_use(string server)
    {
        foreach (var command in new[] { "enroll", "check-connection" })
        {
            var (code, said) = await RunAsync(command, server);

            Assert.True(code == 2, said);
            Assert.Contains("is written https://host:port, or http:// to this machine itself", said, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("http://localhost:1")]
    [InlineData("http://[::1]:1")]
    [InlineData("https://127.0.0.1:1")]
    public async Task To_this_machine_itself_it_need_not_be(string server)
    {
        var (code, said) = await RunAsync("check-connection", server);

        // It was tried; nobody listens there.
        Assert.True(code == 1, said);
    }

    private async Task<(int Code, string Said)> RunAsync(string command, string server)
    {
        string[] arguments = [command, "--data", Path.Combine(directory, "data"), "--server", server, .. command == "enroll" ? ["--token-file", "-", "--trust-first-contact"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc-agent"), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, said + await error);
    }
}
