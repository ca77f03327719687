using System.Diagnostics;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Cli.Api;

/// <summary>Has what a call demands confirmed by the person, in the portal: here is no passkey.</summary>
internal static class PortalConfirmation
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>Waits until it is confirmed.</summary>
    /// <returns>The proof for the same call.</returns>
    /// <exception cref="CommandFailure">It was refused, or nobody answered.</exception>
    public static async Task<string> WaitAsync(Person person, StepUpDemand demand, Guid id, TextWriter error, CancellationToken cancellationToken)
    {
        error.WriteLine($"To be confirmed: {Printable.Line(demand.Text)}");
        error.WriteLine($"Confirm it, or refuse: {ServerAddress.Said(person.Server)}/confirm/{id}");
        var (began, patience) = (Stopwatch.GetTimestamp(), new Patience(absenceMayPass: true)); // The role's message is still on its way.
        while (Stopwatch.GetElapsedTime(began) < Longest)
        {
            await Task.Delay(Between, cancellationToken);
            var item = await patience.AskAsync(async () => await (await person.ClientAsync(cancellationToken)).GetConfirmationAsync(id, cancellationToken), cancellationToken);
            switch (item?.State)
            {
                case ConfirmationStates.Confirmed:
                    var proof = await (await person.ClientAsync(cancellationToken)).TakeConfirmationAsync(id, cancellationToken);
                    return proof.Proof ?? throw new FormatException();
                case ConfirmationStates.Refused:
                    throw new CommandFailure("It was refused in the portal. Nothing was done.", McCommand.Refused);
                case ConfirmationStates.Over:
                    throw new CommandFailure("It can be confirmed no more. Nothing was done.", McCommand.Refused);
            }
        }

        throw new CommandFailure("Nobody confirmed it in time. Nothing was done.", McCommand.Refused);
    }
}
