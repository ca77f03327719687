using MissionControl.Host.Commands;

return await MissionControlCommand.Create().Parse(args).InvokeAsync();
