using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Agreement;

/// <summary>What was in force at an hour.</summary>
public sealed class PinsTests
{
    private static readonly Guid Id = Guid.CreateVersion7();

    [Fact]
    public void The_newest_word_counts_from_its_hour_on_until_the_end_that_it_names()
    {
        // The third was made last, and takes back the second's from 40 on; the fourth ends it all early.
        ContractVersion[] versions = [Version(1, 10, 100), Version(2, 50, 200), Version(3, 40, 150)];
        ContractVersion[] terminated = [.. versions, Version(4, 80, 90)];

        Assert.Equal([0, 1, 1, 3, 3, 3, 3, 0], At(versions, 9, 10, 39, 40, 50, 99, 149, 150));
        Assert.Equal([1, 3, 4, 4, 0, 0], At(terminated, 39, 79, 80, 89, 90, 149));
        Assert.Equal([(10, 40, 1), (40, 50, 3), (50, 100, 3), (100, 150, 3)], Pins.Spans(versions).Select(span => (span.From, span.To, span.Version.Number)));
        Assert.Equal([1, 3, 3, 4], Pins.Spans(terminated).Select(span => span.Version.Number));
        Assert.Equal([0, 1, 1], At([versions[0]], 9, 10, 99));
        Assert.Empty(Pins.Spans([]));

        static IEnumerable<int> At(ContractVersion[] versions, params int[] hours) => hours.Select(hour => Pins.At(versions, hour)?.Number ?? 0);
    }

    [Fact]
    public void Prices_are_those_of_the_latest_published_version_that_has_begun()
    {
        PriceBookVersion[] versions = [Prices(1, 0, true), Prices(3, 744, true), Prices(4, 1488, false)];

        Assert.Equal([1, 1, 3, 3], new[] { 0, 743, 744, 9999 }.Select(hour => Pins.At(versions, hour)!.Number));
        Assert.Null(Pins.At(versions[1..], 743));

        static PriceBookVersion Prices(int number, int from, bool isPublished)
        {
            var version = new PriceBookVersion { BookId = Id, Number = number };
            version.Hold(new PriceSheet(from, new RateCard("EUR", [])), DateTimeOffset.UnixEpoch);
            if (isPublished)
            {
                version.Publish(DateTimeOffset.UnixEpoch);
            }

            return version;
        }
    }

    [Fact]
    public void What_is_kept_of_terms_is_what_the_rater_is_told()
    {
        var terms = new StoredTerms(
            Use.Trial, MissingPolicy.Carry, [Id], new Commitment(CommitmentKind.HighWaterMark, 0, "hosts", 5 * Nano.One), new OveragePolicy(true, 5, 4), [new Discount("hosts", 125_000, 744, null)], [new EnvironmentUse(Id, "dev", Use.Internal)]);
        var version = Version(1, 744, 2000);
        version.Terms = terms.ToText();
        var contract = new Contract { Id = Id, CustomerId = Id, AccountId = Id, Number = "1", Currency = "EUR", CreatedAt = default, FromHour = 700 };

        var told = version.ToTerms(contract);

        Assert.Equal((700, 2000, "EUR", Use.Trial, terms.Commitment, terms.Overage), (told.FromHour, told.ToHour, told.Currency, told.Use, told.Commitment, told.Overage));
        Assert.Equal(terms.Discounts, told.Discounts);
        Assert.Equal(terms.Environments, told.Environments);
        Assert.True(version.Read().Holds(Id));
        Assert.False(version.Read().Holds(Guid.Empty));
        Assert.Equal("12.5", ContractVersion.Item(told.Discounts[0]).Percent);
    }

    private static ContractVersion Version(int number, int from, int to) => new()
    {
        ContractId = Id, Number = number, CustomerId = Id, Kind = ContractVersionKind.Original, FromHour = from, ToHour = to, PriceBookId = Id, PlanId = Id, PlanVersion = 1,
        Terms = new StoredTerms(Use.Production, MissingPolicy.Block, null, Commitment.None, new OveragePolicy(true), [], []).ToText(), CreatedAt = default,
    };
}
