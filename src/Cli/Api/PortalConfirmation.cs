using System.Diagnostics;
using System.Net;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Cli.Api;

/// <summary>Has what a call demands confirmed by the person, in the portal: here is no passkey.</summary>
internal static class PortalConfirmation
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>Waits until it is confirmed.</summary>
    /// <param name="person">Who is to confirm it.</param>
    /// <param name="called">The address that demands it.</param>
    /// <param name="demand">What it demands.</param>
    /// <param name="id">Where that is confirmed.</param>
    /// <param name="patience">With what is not there yet: the role's message is on its way.</param>
    /// <param name="error">Told what to do.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The proof for the same call.</returns>
    /// <exception cref="CommandFailure">It was refused, nobody answered, or it is not what was demanded.</exception>
    public static async Task<string> WaitAsync(Person person, Uri called, StepUpDemand demand, Guid id, Patience patience, TextWriter error, CancellationToken cancellationToken)
    {
        // A role is given no proof but its own: one that somebody took over could ask in the name of another.
        if (!string.Equals(demand.Audience, ApiPath.RoleOf(called), StringComparison.OrdinalIgnoreCase))
        {
            throw new CommandFailure("The server demands a confirmation for another part of it than was called. Refuse it in the portal. Nothing was done.", McCommand.Refused);
        }

        error.WriteLine($"To be confirmed: {Printable.Line(demand.Text)}");
        error.WriteLine($"Confirm it, or refuse: {ServerAddress.Said(person.Portal)}/confirm/{id}");
        var (began, isThere) = (Stopwatch.GetTimestamp(), false);
        while (Stopwatch.GetElapsedTime(began) < Longest)
        {
            await Task.Delay(Between, cancellationToken);
            ConfirmationItem? item;
            try
            {
                item = await patience.AskAsync(() => person.AskAsync(api => api.GetConfirmationAsync(id, cancellationToken), cancellationToken), cancellationToken);
            }
            catch (ApiException absent) when (absent.Status == HttpStatusCode.NotFound && !isThere)
            {
                throw new CommandFailure("The question did not reach the portal: too many wait there already, or messages are late. Nothing was done.", McCommand.Refused);
            }

            if (item is null)
            {
                continue;
            }

            isThere = true;
            if (!IsSame(item.Demand, demand))
            {
                throw new CommandFailure("What waits in the portal is not what the call demanded: refuse it there. Nothing was done.", McCommand.Refused);
            }

            switch (item.State)
            {
                case ConfirmationStates.Confirmed:
                    var proof = await person.AskAsync(api => api.TakeConfirmationAsync(id, cancellationToken), cancellationToken);
                    return proof.Proof ?? throw new FormatException();
                case ConfirmationStates.Refused:
                    throw new CommandFailure("It was refused in the portal. Nothing was done.", McCommand.Refused);
                case ConfirmationStates.Over:
                    throw new CommandFailure("It can be confirmed no more. Nothing was done.", McCommand.Refused);
            }
        }

        throw new CommandFailure("Nobody confirmed it in time. Nothing was done.", McCommand.Refused);
    }

    // Line ends may have gone from the words; the proof is for these three.
    private static bool IsSame(StepUpDemand? waiting, StepUpDemand demanded) =>
        waiting is not null && waiting.Audience == demanded.Audience && waiting.Purpose == demanded.Purpose && waiting.SubjectDigest == demanded.SubjectDigest;
}
