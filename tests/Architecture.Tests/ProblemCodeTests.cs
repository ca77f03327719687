using System.Text;
using MissionControl.Contracts;

namespace MissionControl.Architecture.Tests;

/// <summary>Clients branch on problem codes: they are a registry, written into the docs, and never change their meaning.</summary>
public sealed class ProblemCodeTests
{
    [Fact]
    public void Codes_are_kebab_case_and_refusals()
    {
        foreach (var code in ProblemCodes.All.Values)
        {
            Assert.Matches("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", code.Code);
            Assert.InRange(code.Status, 400, 599);
            Assert.False(string.IsNullOrWhiteSpace(code.Title), $"{code.Code} has no title.");
        }
    }

    [Fact]
    public void The_registry_is_what_the_docs_say()
    {
        var text = new StringBuilder("""
            # Problem codes

            Every refusal is a problem document (RFC 9457). Its `type` is `/problems/<code>`, its `code` one of these. `final`: sending the same again cannot succeed, and an agent puts the item aside. `later`: keep it and offer it again.

            Written from the code by `infra/dev docs`.

            | code | status | | title |
            | --- | --- | --- | --- |

            """);
        foreach (var code in ProblemCodes.All.Values.OrderBy(code => code.Code, StringComparer.Ordinal))
        {
            text.Append("| `").Append(code.Code).Append("` | ").Append(code.Status).Append(" | ").Append(code.IsFinal ? "final" : "later").Append(" | ").Append(code.Title).Append(" |\n");
        }

        GoldenFile.Check("docs/api/problem-codes.md", text.ToString());
    }
}
