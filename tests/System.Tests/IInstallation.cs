using MissionControl.Testing;

namespace MissionControl.System.Tests;

/// <summary>A running Mission Control, in one process or in many: the same scenarios run against both.</summary>
internal interface IInstallation : IAsyncDisposable
{
    /// <summary>Portal and API.</summary>
    Uri Portal { get; }

    /// <summary>The clusters' way in; one for each replica.</summary>
    IReadOnlyList<Uri> CallHomes { get; }

    /// <summary>The CA of its certificates.</summary>
    string CaFile { get; }

    /// <summary>The bootstrap token.</summary>
    string AdminToken { get; }

    /// <summary>A client that trusts its CA and nothing else.</summary>
    HttpClient Client(Uri address, string? bearer = null) => TrustingClient.Create(address, CaFile, bearer);

    /// <summary>The API as administrator.</summary>
    HttpClient Admin() => Client(Portal, AdminToken);
}

/// <summary>An installation whose processes can be killed.</summary>
internal interface IProcesses : IInstallation
{
    /// <summary>kill -9 of every process of a role, which embedded is the whole installation.</summary>
    Task KillAsync(string role);

    /// <summary>Starts again what was killed, and waits until it is ready.</summary>
    Task StartAgainAsync(string role);

    /// <summary>A further way in whose clock is another one.</summary>
    Task<Door> OpenDoorAsync(TimeProvider time);

    /// <summary>Processes beside this installation's own, or in place of them, that log everything they can; requests to them are served by none that does not.</summary>
    Task<Talkative> StartTalkativeAsync();
}

/// <summary>A way in for clusters.</summary>
internal sealed record Door(Uri Address, string CaFile, IAsyncDisposable Owner) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Owner.DisposeAsync();
}

/// <summary>A portal and a way in that log everything they can, and what they logged.</summary>
internal sealed record Talkative(Uri Portal, Uri CallHome, string CaFile, string AdminToken, Func<IEnumerable<string>> Output, IAsyncDisposable Owner) : IAsyncDisposable
{
    /// <summary>The levels of such a process.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["MissionControl__Logging__LogLevel__Default"] = "Trace", ["MissionControl__Logging__LogLevel__Microsoft"] = "Trace",
        ["MissionControl__Logging__LogLevel__MassTransit"] = "Trace", ["MissionControl__Logging__LogLevel__Yarp"] = "Trace",
    };

    public ValueTask DisposeAsync() => Owner.DisposeAsync();
}
