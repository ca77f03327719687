using System.Globalization;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Focus;

/// <summary>What a version of a contract promises, as long as it is in force.</summary>
internal sealed record Commitment(Contract Contract, ContractVersion Version, Rating.Commitment Promise, int FromHour, int ToHour)
{
    public bool IsSpend => Promise.Kind != CommitmentKind.HighWaterMark;

    public string Id => IdOf(Contract.Number, Version.Number);

    public string? Cost => IsSpend ? Money.Text(Promise.AmountMinor, Contract.Currency) : null;

    public string Quantity => Nano.Text(Promise.Units);

    public string Description => Promise.Kind switch
    {
        CommitmentKind.MinimumPerPeriod => "At least this amount in every billing period",
        CommitmentKind.TermPool => "This amount for the whole term, charged with its first billing period",
        _ => "At least these units at all times; a higher mark counts for the rest of the term",
    };

    public static string IdOf(string contract, int version) => string.Create(CultureInfo.InvariantCulture, $"{contract}/v{version}");

    /// <summary>Those of a contract. A version that another takes the place of before it counts promises nothing.</summary>
    public static IEnumerable<Commitment> All(Contract contract, IReadOnlyList<ContractVersion> versions)
    {
        foreach (var version in versions)
        {
            var end = versions.Where(other => other.Number > version.Number).Select(other => other.FromHour).Append(version.ToHour).Min();
            var terms = version.Read();
            if (terms.Commitment.Kind != CommitmentKind.None && terms.Use == Use.Production && end > version.FromHour)
            {
                yield return new Commitment(contract, version, terms.Commitment, version.FromHour, end);
            }
        }
    }

    public static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
