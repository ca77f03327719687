using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using MissionControl.Cli;
using MissionControl.Cli.Audit;

// What goes out passes the same definition as every log line: a token that was typed as an argument, or is the name of a file, is not said again.
using var output = new RedactingWriter(Console.Out);
using var error = new RedactingWriter(Console.Error);

// An argument that begins with @ is what it says: a file of further arguments would be another way to be told what to do.
var parsed = McCommand.Create().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
var written = new InvocationConfiguration { Output = output, Error = error };
if (parsed.Action is not ParseErrorAction mistake)
{
    return await parsed.InvokeAsync(written); // Also help, whatever else is missing.
}

// The sentence that says what is wrong would stand above a page of help.
mistake.ShowHelp = false;
await parsed.InvokeAsync(written);
var path = new List<Command>();
for (var at = parsed.CommandResult; at?.Command is not (null or RootCommand); at = at.Parent as CommandResult)
{
    path.Insert(0, at.Command);
}

error.WriteLine(path.Count == 0 ? "See mc --help." : $"See mc --help, and mc {string.Join(' ', path.Select(command => command.Name))} --help.");
return path is [{ Name: AuditCommand.Name }, ..] ? AuditCommand.WrongUse : McCommand.WrongUse;
