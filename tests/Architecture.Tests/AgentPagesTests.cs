using MissionControl.ClusterAgent.Privacy;

namespace MissionControl.Architecture.Tests;

/// <summary>What customers read about the agent is written from its code.</summary>
public sealed class AgentPagesTests
{
    [Fact]
    public void The_page_of_what_leaves_a_machine_is_the_list_that_the_agent_masks_by() => GoldenFile.Check("docs/api/agent-fields.md", PrivacyPage.Text());

    [Fact]
    public void The_agents_page_names_every_command_and_every_member_of_the_configuration_and_of_the_products_document()
    {
        var page = Repository.Read("docs/agent.md");
        var members = new[] { typeof(ClusterAgent.AgentSettings), typeof(ClusterAgent.ProxySettings), typeof(ClusterAgent.ProductSettings) }
            .Concat(typeof(ClusterAgent.Product.ProductDocument).Assembly.GetExportedTypes().Where(type => type.Namespace == "MissionControl.ClusterAgent.Product" && type.Name.StartsWith("Product", StringComparison.Ordinal) && !type.IsAssignableTo(typeof(Exception)) && type.Name != "ProductReading"))
            .SelectMany(type => type.GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.DeclaredOnly))
            .Where(property => property.Name != "EqualityContract").Select(property => char.ToLowerInvariant(property.Name[0]) + property.Name[1..]).Distinct();

        Assert.DoesNotContain(members, member => !page.Contains($"{member}`", StringComparison.Ordinal) && !page.Contains($"`{member}", StringComparison.Ordinal));
        Assert.DoesNotContain(ClusterAgent.Commands.AgentCommand.Create().Subcommands, command => !page.Contains($"| `{command.Name}` |", StringComparison.Ordinal));
    }
}
