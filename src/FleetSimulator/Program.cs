using System.CommandLine;
using MissionControl.ClusterAgent.Machine;
using MissionControl.FleetSimulator;

var api = new Option<Uri>("--api") { CustomParser = Address, Description = "Address of the REST API.", DefaultValueFactory = _ => new Uri("https://localhost:8443") };
var callHome = new Option<Uri>("--callhome") { CustomParser = Address, Description = "Address of call-home.", DefaultValueFactory = _ => new Uri("https://localhost:9443") };
var ca = new Option<string?>("--ca") { Description = "PEM of the CA of both." };
var tokenFile = new Option<string>("--token-file") { Description = "File with an API token (licensing:write, callhome:write).", Required = true };
var clusters = new Option<int>("--clusters") { Description = "How many clusters.", DefaultValueFactory = _ => 25 };
var seed = new Option<int>("--seed") { Description = "The same seed gives the same fleet.", DefaultValueFactory = _ => 1 };
var state = new Option<string?>("--state") { Description = "Directory that keeps identities across restarts." };
var history = new Option<int?>("--history-hours") { Description = "Hours of usage that a new cluster reports at once. Default: 48 for up to 100 clusters, else 0." };
var real = new Option<bool>("--with-this-machine") { Description = "Also run one real agent that reports this machine." };
var root = new RootCommand("mc-simulator: a fleet of clusters in one process. Example: mc-simulator --token-file data/admin.token --ca data/certificates/ca.pem --clusters 25") { api, callHome, ca, tokenFile, clusters, seed, state, history, real };
root.SetAction(async (parsed, cancellationToken) =>
{
    var options = new SimulationOptions
    {
        Api = parsed.GetValue(api)!,
        CallHome = parsed.GetValue(callHome)!,
        CaFile = parsed.GetValue(ca),
        ApiToken = (await File.ReadAllTextAsync(parsed.GetValue(tokenFile)!, cancellationToken)).Trim(),
        Clusters = parsed.GetValue(clusters),
        Seed = parsed.GetValue(seed),
        StateDirectory = parsed.GetValue(state),
        HistoryHours = parsed.GetValue(history) ?? (parsed.GetValue(clusters) <= 100 ? 48 : 0),
    };
    using var simulation = new FleetSimulation(options, TimeProvider.System);
    try
    {
        var agents = new List<Task> { simulation.RunAsync(Console.WriteLine, cancellationToken) };
        if (parsed.GetValue(real))
        {
            agents.Add(simulation.RunRealAgentAsync(new LinuxMachine(TimeProvider.System, "This machine"), Path.Combine(options.StateDirectory ?? Path.GetTempPath(), "this-machine"), cancellationToken));
        }

        await Task.WhenAll(agents);
        return 0;
    }
    catch (NotADemoException refusal)
    {
        await Console.Error.WriteLineAsync(refusal.Message);
        return 3;
    }
    catch (OperationCanceledException)
    {
        return 0;
    }
});
return await root.Parse(args).InvokeAsync();

static Uri Address(System.CommandLine.Parsing.ArgumentResult result)
{
    if (Uri.TryCreate(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", UriKind.Absolute, out var address))
    {
        return address;
    }

    result.AddError("An address is written https://host:port.");
    return new Uri("https://localhost");
}
