using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Focus;
using MissionControl.Licensing.Rating;
using MissionControl.Licensing.Tests.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Focus;

/// <summary>Whatever is agreed, used, corrected and decided: the rows of a bill keep the rules and come to what is to be paid.</summary>
public sealed class ChargeTests
{
    private static readonly Guid Id = new("0198c5a0-0000-7000-8000-000000000001");

    private static readonly Arbitrary<(List<TermPeriod> Term, List<MeterTotal> Late, long Decided)> Histories =
        (from term in Terms.All.Generator from late in Terms.Totals from decided in Gen.Choose(-500, 500) select (term, late, (long)decided)).ToArbitrary();

    [Fact]
    public void The_rows_of_every_bill_keep_the_rules_and_come_to_what_is_to_be_paid() => Prop.ForAll(Histories, history =>
    {
        var (billed, payable) = Bills(history.Term, history.Late, history.Decided);
        var rows = FocusRules.Read(FocusRules.WriteAsync(FocusRules.Datasets.CostAndUsage, billed.SelectMany(Charge.All)).GetAwaiter().GetResult());

        FocusRules.Check(rows, payable);

        // An invoice's details are the same rows, rounded.
        foreach (var one in billed)
        {
            Assert.Equal(payable[one.Number], Charge.All(one).Where(row => row.Part != Charge.Rounding).Aggregate(BigInteger.Zero, (sum, row) => sum + FocusRules.Number(row.Amount)));
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void The_cases_meet_every_category_and_corrections_of_lines_and_promises()
    {
        var charges = Histories.Generator.Sample(200).SelectMany(history => Bills(history.Term, history.Late, history.Decided).Billed).SelectMany(Charge.All).ToList();

        Assert.Equal(["Adjustment", "Credit", "Purchase", "Usage"], charges.Select(charge => charge.Category).Distinct().Order());
        Assert.Contains(charges, charge => charge is { IsCorrection: true, Category: "Usage" });
        Assert.Contains(charges, charge => charge is { IsCorrection: true, IsCommitment: true });
        Assert.Contains(charges, charge => charge is { Part: Charge.Rounding, Cost: not "0" });
        Assert.Contains(charges, charge => charge.Use == "trial" && charge.ListCost != "0");
    }

    [Fact]
    public async Task A_file_quotes_what_needs_it_and_says_nothing_where_there_is_nothing()
    {
        FocusDataset<string> dataset = new("x", "1.2", [
            new("Text", FocusType.String, true, "", row => row), new("Number", FocusType.Decimal, true, "", row => row.Length == 0 ? null : "-1.50"), new("Json", FocusType.Json, true, "", row => row.Length == 0 ? null : """{"a":"b"}"""),
        ]);

        Assert.Equal("Text,Number,Json\r\n\"a,\"\"b\"\"\",-1.50,\"{\"\"a\"\":\"\"b\"\"}\"\r\n'=1+1,-1.50,\"{\"\"a\"\":\"\"b\"\"}\"\r\n,,\r\n", await FocusRules.WriteAsync(dataset, ["a,\"b\"", "=1+1", ""], csv: true));
        Assert.Equal("{\"Text\":\"a\\nb\",\"Number\":-1.50,\"Json\":{\"a\":\"b\"}}\n{\"Text\":null,\"Number\":null,\"Json\":null}\n", await FocusRules.WriteAsync(dataset, ["a\nb", ""]));
    }

    /// <summary>A bill of every period; the first comes to something else later, and the last one books that, with what was decided.</summary>
    private static (List<BilledPeriod> Billed, Dictionary<string, BigInteger> Payable) Bills(List<TermPeriod> term, List<MeterTotal> late, long decided)
    {
        var before = Term.Rate(term);
        var after = Term.Rate([term[0] with { Totals = [.. term[0].Totals, .. late] }, .. term.Skip(1)]);
        var (billed, payable) = (new List<BilledPeriod>(), new Dictionary<string, BigInteger>());
        for (var i = 0; i < before.Count; i++)
        {
            var isLast = i == before.Count - 1;
            var document = new StatementDocument
            {
                Number = $"S-{i}",
                Generation = 1,
                Customer = Id,
                Contract = new VersionOf(Id, 1),
                PriceBook = new VersionOf(Id, 1),
                Watermark = 7,
                Rated = isLast && i > 0 ? after[i] : before[i],
                Corrections = !isLast ? [] : [.. Enumerable.Range(0, i).SelectMany(old => Restatement.Diff(before[old].Period, before[old].Lines, after[old].Lines).Select(line => new BookedCorrection($"S-{old}", line)))],
                Adjustments = isLast && decided != 0 ? [new BookedAdjustment("CN-1", "As agreed", decided)] : [],
                Missing = [],
                InputsSha256 = "sha256:00",
            };
            billed.Add(new BilledPeriod(
                document.Number, Id, "sha256:00", DateTimeOffset.UnixEpoch, document.ToBytes(), document.Rated.Period.WholeFrom, document.Rated.Period.WholeTo, document.Rated.Currency, Id, Id, "North AS", null, Id, "C-1", 1, null, null));
            payable.Add(document.Number, document.PayableMinor * BigInteger.Pow(10, 18 - Currencies.Exponent(document.Rated.Currency)));
        }

        return (billed, payable);
    }
}
