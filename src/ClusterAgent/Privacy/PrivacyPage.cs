using System.Globalization;
using System.Text;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Privacy;

/// <summary>The list of what leaves a machine, as a page for people.</summary>
internal static class PrivacyPage
{
    public static string Text()
    {
        var text = new StringBuilder("""
            # What leaves a cluster's machine

            Every field that the agent sends, why, how long Mission Control keeps it, and how the customer masks or withholds it. `mc-agent show-sent --bodies` shows what was really sent.

            In the agent's configuration: `"privacy": {"reveal": ["node.id"], "withhold": ["event"]}`. A digest is keyed with a secret that is made on the machine and never leaves it.

            Written from the code by `infra/dev docs`.

            | name | fields | purpose | kept | by default | reveal | withhold | note |
            | --- | --- | --- | --- | --- | --- | --- | --- |

            """);
        foreach (var field in DataFields.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{field.Name}` | {string.Join(", ", field.Fields.Select(name => $"`{name}`"))} | {field.Purpose} | {field.Retention} | {Word(field.Treatment)} | {(field.CanReveal ? "yes" : "")} | {(field.CanWithhold ? "yes" : "")} | {field.Note} |\n");
        }

        return text.Append('\n').Append(DataFields.Usage).Append('\n').ToString();
    }

    private static string Word(Treatment treatment) => treatment switch
    {
        Treatment.AsIs => "sent",
        Treatment.Digest => "digest",
        Treatment.Cleaned => "cleaned",
        Treatment.LeftOut => "left out",
        _ => throw new ArgumentOutOfRangeException(nameof(treatment)),
    };
}
