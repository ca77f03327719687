using MissionControl.Protocol.CallHome;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>The list of what leaves a machine, for whoever asks what a cluster sends.</summary>
public sealed class FieldListTests(PortalFixture portal)
{
    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Every_field_is_listed_with_its_purpose_at_every_width_and_Sent_leads_there(int width)
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken, width, script: false);
        await window.GoAsync($"/clusters/{portal.Red.Id}/sent");
        await window.Page.GetByText("the list of fields").ClickAsync();
        var rows = window.Page.Locator("main tbody tr");
        Assert.Equal(DataFields.All.Count, await rows.CountAsync());
        foreach (var (field, text) in DataFields.All.Zip(await rows.AllInnerTextsAsync()))
        {
            Assert.All([field.Name, field.Purpose, field.Retention, .. field.Fields], part => Assert.Contains(part, text, StringComparison.Ordinal));
        }

        Window.AssertNothing(window.Violations);
    }
}
