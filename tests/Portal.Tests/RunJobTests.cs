using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Somebody runs a job now and sees how it went, with a script and without.</summary>
public sealed class RunJobTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_runs_a_job_says_why_and_finds_the_run_in_its_list(bool script)
    {
        const string job = "licensing.purge-records";
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync("/system/jobs");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = $"Run now: {job}" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = $"Run {job} now?" }).WaitForAsync();
        Assert.Equal(script ? 1 : 0, await window.Page.Locator("#dialog[open]").CountAsync());
        if (script)
        {
            Window.AssertNothing(await window.AxeAsync());
        }

        await window.Page.GetByLabel("Why?").FillAsync($"a term was shortened, {script}");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Run now", Exact = true }).ClickAsync();
        await window.Page.GetByText($"Began to run {job}.").First.WaitForAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = job, Exact = true }).WaitForAsync();
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetFromJsonAsync<Page<JobRunItem>>($"/api/v1/licensing/job-runs?job={job}&limit=1"))!.Items is [{ State: "succeeded" }], "the run ends");

        await window.GoAsync($"/system/jobs/licensing/{job}");
        await window.Page.GetByText($"a term was shortened, {script}").WaitForAsync();
        await window.Page.GetByText("Succeeded").First.WaitForAsync();
        await window.PictureAsync($"system-job-runs-1280-{script}".ToLowerInvariant());
        Window.AssertNothing(window.Violations);
    }
}
