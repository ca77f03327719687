using System.CommandLine;
using System.CommandLine.Invocation;
using MissionControl.Cli;

// What goes out passes the same definition as every log line: a token that was typed as an argument, or is the name of a file, is not said again.
using var output = new RedactingWriter(Console.Out);
using var error = new RedactingWriter(Console.Error);
var parsed = McCommand.Create().Parse(args);
if (parsed.Action is ParseErrorAction mistake)
{
    // The sentence that says what is wrong would stand above a page of help.
    mistake.ShowHelp = false;
}

var code = await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
if (parsed.Errors.Count == 0)
{
    return code;
}

error.WriteLine("See mc --help, and mc scan --help.");
return McCommand.WrongUse;
