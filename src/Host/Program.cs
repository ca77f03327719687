using System.CommandLine;
using MissionControl.Host.Commands;

// Left to itself the library gives a command that is told to end two seconds, and then ends the process with 143. A host drains for as
// long as its own limit (ShutdownTimeout); whoever supervises it has the last word.
return await MissionControlCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
