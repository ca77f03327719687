using System.CommandLine;
using System.CommandLine.Invocation;
using MissionControl.Cli;

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
error.WriteLine(parsed.CommandResult.Command is RootCommand ? "See mc --help." : $"See mc --help, and mc {parsed.CommandResult.Command.Name} --help.");
return McCommand.WrongUse;
