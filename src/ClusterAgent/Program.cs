using MissionControl.ClusterAgent.Commands;

var parsed = AgentCommand.Create().Parse(args);
var code = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? AgentCommand.WrongUse : code;
