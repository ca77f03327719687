using System.Net;
using MissionControl.Contracts.Api;

namespace MissionControl.Cli.Server;

/// <summary>A problem document in words. Each of them is the server's, or came through it from somebody else.</summary>
internal static class Refusal
{
    public static void Tell(TextWriter error, HttpStatusCode status, ProblemDocument? problem)
    {
        if (problem is null)
        {
            error.WriteLine($"The server refused: {(int)status}{((int)status is >= 300 and < 400 ? ", which leads elsewhere; that is not followed" : "")}.");
            return;
        }

        error.WriteLine($"The server refused ({(int)status} {Printable.Line(problem.Code)}): {Printable.Line(problem.Title)}.{(string.IsNullOrEmpty(problem.Detail) ? "" : $" {Printable.Line(problem.Detail)}")}");
        foreach (var mistake in (problem.Errors ?? []).OfType<FieldError>())
        {
            error.WriteLine($"  {Printable.Line(mistake.Pointer)} ({Printable.Line(mistake.Code)}): {Printable.Line(mistake.Detail)}");
        }

        if (!string.IsNullOrEmpty(problem.TraceId))
        {
            error.WriteLine($"In the server's log it is {Printable.Line(problem.TraceId)}.");
        }
    }
}
