using System.CommandLine;
using MissionControl.FleetSimulator;

var api = new Option<Uri>("--api") { CustomParser = Address, Description = "Address of the REST API.", DefaultValueFactory = _ => new Uri("https://localhost:8443") };
var callHome = new Option<Uri>("--callhome") { CustomParser = Address, Description = "Address of call-home.", DefaultValueFactory = _ => new Uri("https://localhost:9443") };
var ca = new Option<string?>("--ca") { Description = "PEM of the CA of both." };
var tokenFile = new Option<string>("--token-file") { Description = "File with an API token (licensing:write, callhome:write).", Required = true };
var clusters = new Option<int>("--clusters") { Description = "How many clusters.", DefaultValueFactory = _ => 25 };
var seed = new Option<int>("--seed") { Description = "The same seed gives the same fleet.", DefaultValueFactory = _ => 1 };
var state = new Option<string?>("--state") { Description = "Directory that keeps identities across restarts." };
var history = new Option<int?>("--history-hours") { Description = "Hours of usage that a new cluster reports at once. Default: 48 for up to 100 clusters, else 0." };
var connections = new Option<int>("--connections") { Description = "Connections shared by all clusters.", DefaultValueFactory = _ => 256 };
var own = new Option<bool>("--own-connections") { Description = $"A connection for each cluster, at most {SimulationOptions.MostOwnConnections} clusters." };
var loss = new Option<double>("--loss") { Description = "Share of requests that are lost, on the way there or back, such as 0.05." };
var delay = new Option<int>("--delay") { Description = "Mean delay of a request in milliseconds." };
var duplicates = new Option<double>("--duplicates") { Description = "Share of check-ins that arrive twice." };
var reordering = new Option<double>("--reordering") { Description = "Share of check-ins of which a copy arrives after the next one." };
var skew = new Option<int>("--clock-skew") { Description = "Clocks are wrong by up to so many seconds, either way." };
var clones = new Option<int>("--clones") { Description = "How many clusters have a copy that speaks as they do." };
var restarts = new Option<double>("--restarts") { Description = "Share of check-ins after which an agent is restarted." };
var real = new Option<bool>("--with-this-machine") { Description = "Also run one real agent that reports this machine." };
var parent = new Option<bool>("--until-stdin-closes") { Description = "End when standard input ends: so a child ends with its parent, however that ended." };
var root = new RootCommand("""
    mc-simulator: a fleet of clusters in one process, through the same door as any cluster.

    Exit codes: 0 stopped; 1 wrong use; 3 refused beside real customers.

    Examples:
      mc-simulator --token-file data/admin.token --ca data/certificates/ca.pem --clusters 25
      mc-simulator --token-file data/admin.token --ca data/certificates/ca.pem --clusters 500 --seed 7 --loss 0.05 --delay 200 --duplicates 0.1 --clones 2
    """)
{
    api, callHome, ca, tokenFile, clusters, seed, state, history, connections, own, loss, delay, duplicates, reordering, skew, clones, restarts, real, parent,
};
root.SetAction(async (parsed, stopped) =>
{
    var options = new SimulationOptions
    {
        Api = parsed.GetValue(api)!,
        CallHome = parsed.GetValue(callHome)!,
        CaFile = parsed.GetValue(ca),
        ApiToken = (await File.ReadAllTextAsync(parsed.GetValue(tokenFile)!, stopped)).Trim(),
        Clusters = parsed.GetValue(clusters),
        Seed = parsed.GetValue(seed),
        StateDirectory = parsed.GetValue(state),
        HistoryHours = parsed.GetValue(history) ?? (parsed.GetValue(clusters) <= 100 ? 48 : 0),
        Connections = parsed.GetValue(connections),
        OwnConnections = parsed.GetValue(own),
        Faults = new Faults
        {
            Loss = parsed.GetValue(loss), DelayMs = parsed.GetValue(delay), Duplicates = parsed.GetValue(duplicates), Reordering = parsed.GetValue(reordering),
            ClockSkewSeconds = parsed.GetValue(skew), Clones = parsed.GetValue(clones), Restarts = parsed.GetValue(restarts),
        },
    };
    if (options.Errors() is { Count: > 0 } errors)
    {
        await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, errors));
        return 1;
    }

    using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopped);
    if (parsed.GetValue(parent))
    {
        EndWithParent(stop);
    }

    using var simulation = new FleetSimulation(options, TimeProvider.System);
    try
    {
        var agents = new List<Task> { simulation.RunAsync(Console.WriteLine, stop.Token) };
        if (parsed.GetValue(real))
        {
            agents.Add(simulation.RunRealAgentAsync(Path.Combine(options.StateDirectory ?? Path.GetTempPath(), "this-machine"), stop.Token));
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

// The pipe closes even when the parent was killed; whoever has not ended three seconds later is ended.
static void EndWithParent(CancellationTokenSource stop)
{
    var watch = new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
        }

        var ended = new ManualResetEventSlim();
        _ = Task.Run(stop.Cancel);
        ended.Wait(TimeSpan.FromSeconds(3));
        Environment.Exit(0);
    }) { IsBackground = true };
    watch.Start();
}

static Uri Address(System.CommandLine.Parsing.ArgumentResult result)
{
    if (Uri.TryCreate(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", UriKind.Absolute, out var address))
    {
        return address;
    }

    result.AddError("An address is written https://host:port.");
    return new Uri("https://localhost");
}
