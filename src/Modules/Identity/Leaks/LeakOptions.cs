namespace MissionControl.Identity.Leaks;

/// <summary>Configuration <c>Identity:Leaks</c>: which scanners may report.</summary>
internal sealed class LeakOptions
{
    /// <summary>Where the keys are published that GitHub signs its reports with. Server configuration alone: no request names it. Empty: GitHub's reports are not taken.</summary>
    public string GitHubKeysUrl { get; init; } = "https://api.github.com/meta/public_keys/secret_scanning";

    /// <summary>File with the secret that a GitLab sends as Authorization, at least 20 characters. Null: GitLab's reports are not taken.</summary>
    public string? GitLabTokenFile { get; init; }

    /// <summary>Without TLS keys are fetched from this machine alone.</summary>
    public bool IsValid => GitHubKeysUrl.Length == 0 || (Uri.TryCreate(GitHubKeysUrl, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)));

    /// <summary>GitLab's secret; null: none, or the file holds none worth the name.</summary>
    public string? ReadGitLabToken()
    {
        var text = GitLabTokenFile is null or "" || !File.Exists(GitLabTokenFile) ? "" : File.ReadAllText(GitLabTokenFile).Trim();
        return text.Length >= 20 ? text : null;
    }
}
