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
    HttpClient Client(Uri address, string? bearer = null);
}
