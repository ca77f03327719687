using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class RoleBookTests
{
    [Fact]
    public void The_page_names_every_role_and_no_other()
    {
        var rows = File.ReadLines(Path.Combine(SourceTree.Root, "docs", "identity.md")).TakeWhile(line => line != "## Groups").Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|')).Select(cells => (cells[1].Trim(' ', '`'), cells[2].Trim()));

        Assert.Equal(RoleBook.All.Select(role => (role.Name, role.Kind == Person.Staff ? "staff" : "customer's user")), rows);
    }

    [Fact]
    public void No_role_of_a_customers_user_sees_or_does_what_is_the_vendors_own()
    {
        Assert.All(RoleBook.All.Where(role => role.Kind == Person.CustomerUser), role =>
            Assert.All(role.Scopes, scope => Assert.False(scope is "*" || scope.StartsWith("system:", StringComparison.Ordinal) || scope is "licensing:write")));
    }

    [Fact]
    public void What_somebody_may_do_is_the_union_of_their_roles()
    {
        Assert.Equal("", RoleBook.ScopesOf([]));
        Assert.Equal("", RoleBook.ScopesOf(["a-role-of-tomorrow"]));
        Assert.Equal("*", RoleBook.ScopesOf(["viewer", "administrator"]));
        Assert.Equal(["callhome:read", "fleet:read", "licensing:read", "licensing:write", "notifications:read", "system:read"], RoleBook.ScopesOf(["viewer", "billing"]).Split(' ').Order());
        Assert.All(RoleBook.All, role => Assert.True(RoleBook.MayGrant("*", role)));
        Assert.False(RoleBook.MayGrant(RoleBook.ScopesOf(["security-officer"]), RoleBook.Find("support-engineer")!));
    }
}
