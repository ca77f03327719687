using System.Diagnostics;
using MissionControl.Protocol.Tokens;
using OpenTelemetry;

namespace MissionControl.Platform.Telemetry;

/// <summary>
/// Cuts every token in a trace to its loggable id before it is exported: a caller may have put one into a path or a query. Events and links
/// of a trace cannot be changed; nothing here adds any with a text of the caller's.
/// </summary>
internal sealed class MaskTokens : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        data.DisplayName = TokenText.Redact(data.DisplayName);
        if (data.StatusDescription is { } description)
        {
            data.SetStatus(data.Status, TokenText.Redact(description));
        }

        List<KeyValuePair<string, string>>? masked = null;
        foreach (var (name, value) in data.EnumerateTagObjects())
        {
            if (value is string text && TokenText.Redact(text) is var cut && !ReferenceEquals(cut, text))
            {
                (masked ??= []).Add(new(name, cut));
            }
        }

        // Not while they are gone through.
        masked?.ForEach(tag => data.SetTag(tag.Key, tag.Value));
    }
}
