using System.CommandLine;
using MissionControl.ClusterAgent.Commands;

var parsed = AgentCommand.Create().Parse(args);

// Left to itself the library ends a process two seconds after it was told to end, with 143; on a busy machine the agent needs longer to put down what it holds.
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
return parsed.Errors.Count > 0 ? AgentCommand.WrongUse : code;
