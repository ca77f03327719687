using System.CommandLine;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Host.Commands;

/// <summary>What roles offer on the server's own console. A running process may go on: the database lets both take turns.</summary>
internal static class ModuleCommands
{
    public static IEnumerable<Command> All()
    {
        var tasks = ModuleList.All.SelectMany(module => module.ConsoleTasks.Select(task => (Module: module.Name, Task: task))).ToList();
        foreach (var (module, task) in tasks.Where(one => !one.Task.Name.Contains(' ', StringComparison.Ordinal)))
        {
            yield return Create(module, task.Name, task);
        }

        foreach (var group in tasks.Where(one => one.Task.Name.Contains(' ', StringComparison.Ordinal)).GroupBy(one => one.Task.Name.Split(' ')[0], StringComparer.Ordinal))
        {
            var command = new Command(group.Key, $"{string.Join(", ", group.Select(one => one.Task.Name.Split(' ')[1]))}: see each.");
            foreach (var (module, task) in group)
            {
                command.Subcommands.Add(Create(module, task.Name.Split(' ')[1], task));
            }

            yield return command;
        }
    }

    private static Command Create(string module, string name, ConsoleTask task)
    {
        var common = new CommonOptions();
        var options = task.Options.Select(option => (option.Name, option.Description, Required: true)).Concat(task.Optional.Select(option => (option.Name, option.Description, Required: false)))
            .ToDictionary(option => option.Name, option => new Option<string>($"--{option.Name}") { Description = option.Description, Required = option.Required });
        var flags = task.Flags.ToDictionary(flag => flag.Name, flag => new Option<bool>($"--{flag.Name}") { Description = flag.Description });
        var command = new Command(name, task.Description);
        foreach (var option in options.Values.Concat<Option>(flags.Values))
        {
            command.Options.Add(option);
        }

        common.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                await using var app = ControlPlaneHost.Build(common.Read(parsed) with { Serves = false });
                await using var scope = app.Services.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(module);
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                db.Scope.OpenAll("the server's own console");
                await parsed.InvocationConfiguration.Output.WriteLineAsync(await task.RunAsync(scope.ServiceProvider, name => flags.TryGetValue(name, out var flag) ? (parsed.GetValue(flag) ? name : null)! : parsed.GetValue(options[name])!, cancellationToken));
                return 0;
            }
            catch (Exception refusal) when (refusal is InvalidOperationException or ArgumentException or System.Data.Common.DbException or Microsoft.EntityFrameworkCore.DbUpdateException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal.Message);
                return 2;
            }
        });
        return command;
    }
}
