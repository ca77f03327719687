using MissionControl.ClusterAgent.Commands;

return await AgentCommand.Create().Parse(args).InvokeAsync();
