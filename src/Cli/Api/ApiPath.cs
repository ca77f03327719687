namespace MissionControl.Cli.Api;

/// <summary>A path of the API, which leads nowhere else: what is called holds a person's token.</summary>
internal static class ApiPath
{
    /// <summary>How it is written.</summary>
    public const string Rule = "PATH is written /api/v1/…, without the server, and without //, .., \\ or #.";

    private const string Root = "/api/v1/";

    /// <summary>The address at the server; null: it is not written so.</summary>
    public static Uri? At(Uri server, string path)
    {
        var end = path.IndexOf('?', StringComparison.Ordinal);
        var steps = (end < 0 ? path : path[..end]).Split('/');
        return path.StartsWith(Root, StringComparison.Ordinal) && !path.Any(c => char.IsControl(c) || c is '\\' or '#')
            && !steps.Skip(1).SkipLast(1).Any(step => step.Length == 0) && !steps.Any(Leads)
            && Uri.TryCreate(server, path, out var address) && address.GetLeftPart(UriPartial.Authority) == server.GetLeftPart(UriPartial.Authority) && address.AbsolutePath.StartsWith(Root, StringComparison.Ordinal)
                ? address
                : null;
    }

    /// <summary>The role that answers there, which is the step after the version; null: none.</summary>
    public static string? RoleOf(Uri address) => address.Segments is [_, _, _, var role, ..] ? role.TrimEnd('/') : null;

    // Also where it is escaped: who reads it next may see what it means.
    private static bool Leads(string step)
    {
        var meant = Uri.UnescapeDataString(step);
        return meant is "." or ".." || meant.Any(c => char.IsControl(c) || c is '/' or '\\');
    }
}
