namespace MissionControl.Platform.Modules;

/// <summary>Something of a role that only somebody on the server's own console may do: <c>missioncontrol admin {Name}</c>.</summary>
/// <param name="Name">Name of the command, or of a group and of the command in it: <c>audit fsck</c>.</param>
/// <param name="Description">What it does, and an example.</param>
/// <param name="Options">Names of the options it needs, each with what it means.</param>
/// <param name="RunAsync">Does it within the role's scope; the result is what to print. What cannot be done is an <see cref="InvalidOperationException"/> that says why.</param>
public sealed record ConsoleTask(
    string Name, string Description, IReadOnlyList<(string Name, string Description)> Options, Func<IServiceProvider, Func<string, string>, CancellationToken, Task<string>> RunAsync)
{
    /// <summary>Names of options that may be left out, which gives null.</summary>
    public IReadOnlyList<(string Name, string Description)> Optional { get; init; } = [];

    /// <summary>Names of options without a value; what is said is their own name, and null where they are left out.</summary>
    public IReadOnlyList<(string Name, string Description)> Flags { get; init; } = [];
}
