using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Licensing.Usage;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>A closed period of the same contract that comes to something else by now.</summary>
/// <param name="Last">Its newest generation.</param>
/// <param name="Document">The next one.</param>
/// <param name="Corrections">What differs, as it will be booked.</param>
/// <param name="Inputs">What it was rated from.</param>
internal sealed record Restated(Statement Last, StatementDocument Document, IReadOnlyList<CorrectionLine> Corrections, StoredInputs Inputs)
{
    /// <summary>What differs, in minor units.</summary>
    public long Minor => Corrections.Aggregate(0L, (sum, line) => checked(sum + line.Minor));
}

/// <summary>
/// What a period comes to at a watermark, with what is to be corrected in those before it: the preview, and exactly what closing writes.
/// All of it is read before anything is written, so that closing keeps nobody from writing while it reckons.
/// </summary>
internal sealed class PeriodDraft
{
    public required Period Period { get; init; }

    public required Contract Contract { get; init; }

    public required ContractVersion Agreed { get; init; }

    public required PriceBookVersion Prices { get; init; }

    public required long Watermark { get; init; }

    public required StatementDocument Document { get; init; }

    public required StoredInputs Inputs { get; init; }

    public required IReadOnlyList<Restated> Restated { get; init; }

    /// <summary>What was decided and waits to be booked.</summary>
    public required IReadOnlyList<Adjustment> Decided { get; init; }

    public required IReadOnlyList<Check> Checks { get; init; }

    /// <summary>The same for whoever would be billed the same: what the preview says, whatever its watermark.</summary>
    public required string Tag { get; init; }

    /// <summary>Drafts a period.</summary>
    /// <returns>The draft; or why there is none, in words.</returns>
    /// <exception cref="RatingException">What was agreed or used cannot be rated.</exception>
    public static async Task<(PeriodDraft? Draft, string? Hindrance)> MakeAsync(ControlPlaneDbContext db, Period period, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var watermark = (await ChangeStream.ReadAsync(db, cancellationToken)).Seq;
        var contract = await db.Set<Contract>().AsNoTracking().SingleAsync(row => row.Id == period.ContractId, cancellationToken);
        var versions = await db.Set<ContractVersion>().AsNoTracking().Where(row => row.ContractId == contract.Id).ToListAsync(cancellationToken);
        var books = versions.Select(version => version.PriceBookId).Distinct().ToList();
        var prices = await db.Set<PriceBookVersion>().AsNoTracking().Where(row => books.Contains(row.BookId) && row.State == PriceBookVersionState.Published).ToListAsync(cancellationToken);
        var drafting = new Drafting(db, contract, versions, prices, watermark, UsageApi.DueHour(now), now, await Meters.Meters.AllAsync(db, cancellationToken));
        return await drafting.RunAsync(period, cancellationToken);
    }

    private static string TagOf(StatementDocument document, IReadOnlyList<Restated> restated, IReadOnlyList<Check> checks)
    {
        // The watermark rises with every cluster that checks in; what it changes here is in the rest.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData((document with { Watermark = 0 }).ToBytes());
        foreach (var one in restated)
        {
            hash.AppendData((one.Document with { Watermark = 0 }).ToBytes());
        }

        // What was to be put up with was looked at, too.
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(checks.Select(check => new { check.Code, check.Count, check.Blocks })));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>What has to be so before a period is closed.</summary>
    /// <param name="Code">Which.</param>
    /// <param name="Count">How often it is not so; 0: all is well.</param>
    /// <param name="Blocks">The period is not closed while it is not so.</param>
    /// <param name="Waivable">Whoever closes may put up with it, and says why.</param>
    /// <param name="Detail">In words.</param>
    internal sealed record Check(string Code, long Count, bool Blocks, bool Waivable, string Detail);

    private sealed class Drafting(
        ControlPlaneDbContext db, Contract contract, IReadOnlyList<ContractVersion> versions, IReadOnlyList<PriceBookVersion> prices, long watermark, int due, DateTimeOffset now,
        IReadOnlyDictionary<(string Key, int Version), Meters.Meter> meters)
    {
        private int contractTo;

        public async Task<(PeriodDraft? Draft, string? Hindrance)> RunAsync(Period period, CancellationToken cancellationToken)
        {
            // Its end as the newest version says it; what an earlier one said of months that are over is in what was closed.
            contractTo = versions.MaxBy(version => version.Number)!.ToHour;
            if (period.Within(contract.FromHour, contractTo) is not { } hours)
            {
                return (null, "The contract has no hour in this period.");
            }

            var earlier = await db.Set<Period>().AsNoTracking().Where(row => row.ContractId == contract.Id && row.FromHour < period.FromHour).OrderBy(row => row.FromHour).ToListAsync(cancellationToken);
            var closed = await ClosedAsync(earlier, cancellationToken);
            var (restated, carry) = await RestateAsync(closed, cancellationToken);

            // Those that nobody has closed yet are drafted first: what they will leave is part of this one.
            if (versions.Any(version => version.Read().Commitment.Kind is CommitmentKind.TermPool or CommitmentKind.HighWaterMark))
            {
                foreach (var open in earlier.Where(row => row.State == PeriodState.Open).Select(row => row.Within(contract.FromHour, contractTo)).OfType<RatingPeriod>())
                {
                    if (PinsOf(open, out var hindrance) is not { } pinned)
                    {
                        return (null, $"{Period.Month(open.WholeFrom)} comes before it, and: {hindrance}");
                    }

                    carry = (await RateAsync(open, pinned.Agreed, pinned.Card, carry, cancellationToken)).Rated.Carry;
                }
            }

            if (PinsOf(hours, out var none) is not var (agreed, card))
            {
                return (null, none);
            }

            var (clusters, inputs, rated) = await RateAsync(hours, agreed, card, carry, cancellationToken);
            var decided = await db.Set<Adjustment>().AsNoTracking().Where(row => row.ContractId == contract.Id && row.StatementId == null).OrderBy(row => row.Id).ToListAsync(cancellationToken);
            var document = new StatementDocument
            {
                Number = NumberOf(period.FromHour, 1),
                Generation = 1,
                Customer = contract.CustomerId,
                Contract = new VersionOf(contract.Id, agreed.Number),
                PriceBook = new VersionOf(card.BookId, card.Number),
                Watermark = watermark,
                Rated = rated,
                Corrections = [.. restated.SelectMany(one => one.Corrections.Select(line => new BookedCorrection(NumberOf(one.Last.FromHour, 1), line)))],
                Adjustments = [.. decided.Select(one => new BookedAdjustment(one.Number, one.Description, one.AmountMinor))],
                Missing = inputs.Missing,
                InputsSha256 = StatementDocument.Inputs(hours, new VersionOf(contract.Id, agreed.Number), new VersionOf(card.BookId, card.Number), inputs.Totals, carry),
            };
            var checks = await ChecksAsync(period, hours, earlier, agreed, clusters, inputs, rated, restated, cancellationToken);
            return (new PeriodDraft
            {
                Period = period,
                Contract = contract,
                Agreed = agreed,
                Prices = card,
                Watermark = watermark,
                Document = document,
                Inputs = new StoredInputs(inputs.Totals, inputs.Missing, carry),
                Restated = restated,
                Decided = decided,
                Checks = checks,
                Tag = TagOf(document, restated, checks),
            }, null);
        }

        /// <summary>What was agreed at the first hour of a period, and its prices; null: why there are none, in words.</summary>
        private (ContractVersion Agreed, PriceBookVersion Card)? PinsOf(RatingPeriod hours, out string hindrance)
        {
            hindrance = "The contract is not in force in this period.";
            if (Pins.At(versions, hours.FromHour) is not { } agreed)
            {
                return null;
            }

            hindrance = "No version of the price book is in force in this period.";
            return Pins.At(prices.Where(one => one.BookId == agreed.PriceBookId), hours.FromHour) is { } card ? (agreed, card) : null;
        }

        private async Task<(IReadOnlyList<ContractCluster> Clusters, PeriodInputs Inputs, RatedPeriod Rated)> RateAsync(
            RatingPeriod hours, ContractVersion agreed, PriceBookVersion card, Carry carry, CancellationToken cancellationToken)
        {
            var terms = agreed.ToTerms(contract);
            var (clusters, inputs) = await LoadAsync(agreed, terms, hours, cancellationToken);
            return (clusters, inputs, Rater.Rate(card.ToRateCard(), terms, hours, inputs.Totals, carry));
        }

        /// <summary>What a period is rated from. Of one that has ended every hour should have come, the last one too: whatever is not there is missing.</summary>
        private async Task<(IReadOnlyList<ContractCluster> Clusters, PeriodInputs Inputs)> LoadAsync(ContractVersion agreed, ContractTerms terms, RatingPeriod hours, CancellationToken cancellationToken)
        {
            var clusters = await PeriodInputs.ClustersAsync(db, contract.CustomerId, agreed.Read().Clusters, cancellationToken);
            var dueIn = hours.WholeTo <= UsageWindow.HourOf(now) ? Math.Max(due, hours.ToHour) : due;
            return (clusters, await PeriodInputs.LoadAsync(db, contract.CustomerId, clusters, terms, agreed.Read().Missing, hours, watermark, dueIn, meters, cancellationToken));
        }

        private string NumberOf(int fromHour, int generation) =>
            string.Create(CultureInfo.InvariantCulture, $"S-{contract.Number}-{Period.Month(fromHour)}{(generation == 1 ? "" : $"-{generation}")}");

        /// <summary>The newest generation of each closed period before it, in order.</summary>
        private async Task<IReadOnlyList<Statement>> ClosedAsync(IReadOnlyList<Period> earlier, CancellationToken cancellationToken)
        {
            var ids = earlier.Where(row => row.State == PeriodState.Closed).Select(row => row.Id).ToList();
            var all = await db.Set<Statement>().AsNoTracking().Where(row => row.ContractId == contract.Id && ids.Contains(row.PeriodId)).ToListAsync(cancellationToken);
            return [.. all.GroupBy(row => row.PeriodId).Select(group => group.MaxBy(row => row.Generation)!).OrderBy(row => row.FromHour)];
        }

        /// <summary>Rates anew what changed since it was closed, and all that follows it, by the versions that it was closed with.</summary>
        private async Task<(IReadOnlyList<Restated> Restated, Carry Carry)> RestateAsync(IReadOnlyList<Statement> closed, CancellationToken cancellationToken)
        {
            var carry = closed.Count == 0 ? Carry.None : closed[^1].ReadRated().Carry;
            var changed = await ChangedAsync(closed, cancellationToken);
            if (changed.Count == 0)
            {
                return ([], carry);
            }

            var restated = new List<Restated>();
            carry = changed[0].ReadInputs().Before;
            foreach (var last in closed.SkipWhile(one => one != changed[0]))
            {
                var agreed = versions.Single(version => version.Number == last.ContractVersion);
                var terms = agreed.ToTerms(contract);
                var card = prices.Single(one => one.BookId == last.PriceBookId && one.Number == last.PriceBookVersion);
                var before = last.ReadRated();
                var inputs = last.ReadInputs();
                if (changed.Contains(last))
                {
                    var (_, known) = await LoadAsync(agreed, terms, before.Period, cancellationToken);
                    inputs = inputs with { Totals = known.Totals, Missing = known.Missing };
                }

                var rated = Rater.Rate(card.ToRateCard(), terms, before.Period, inputs.Totals, carry);
                var corrections = Restatement.Diff(before.Period, before.Lines, rated.Lines);
                if (corrections.Count > 0 || rated.Carry != before.Carry)
                {
                    var (book, version) = (new VersionOf(card.BookId, card.Number), new VersionOf(contract.Id, agreed.Number));
                    restated.Add(new Restated(last, new StatementDocument
                    {
                        Number = NumberOf(last.FromHour, last.Generation + 1),
                        Generation = last.Generation + 1,
                        Supersedes = last.Number,
                        Customer = contract.CustomerId,
                        Contract = version,
                        PriceBook = book,
                        Watermark = watermark,
                        Rated = rated,
                        Corrections = [],
                        Missing = inputs.Missing,
                        InputsSha256 = StatementDocument.Inputs(before.Period, version, book, inputs.Totals, carry),
                    }, corrections, inputs with { Before = carry }));
                }

                carry = rated.Carry;
            }

            return (restated, carry);
        }

        /// <summary>
        /// The closed periods of which something came to be known since their newest generation, in order: asked of the database, in one
        /// look for each version of the contract, for a customer's changes are many. An estimate at an edge may rest on hours outside its period.
        /// </summary>
        private async Task<IReadOnlyList<Statement>> ChangedAsync(IReadOnlyList<Statement> closed, CancellationToken cancellationToken)
        {
            var changed = new HashSet<Guid>();
            foreach (var group in closed.GroupBy(one => (one.ContractVersion, Anywhere: one.ReadInputs().Missing.Any(gap => gap.Estimated.Count > 0 && (gap.First <= one.FromHour || gap.Last >= one.ToHour - 1)))))
            {
                var (ids, clusters) = (group.Select(one => one.Id).ToList(), versions.Single(version => version.Number == group.Key.ContractVersion).Read().Clusters);
                var news = db.Set<RecordedChange>().AsNoTracking().Where(row => row.CustomerId == contract.CustomerId && row.Seq <= watermark && row.Kind == Kinds.Usage);
                news = clusters is null ? news : news.Where(row => clusters.Contains(row.ClusterId!.Value));
                var statements = db.Set<Statement>().AsNoTracking().Where(one => ids.Contains(one.Id));
                statements = group.Key.Anywhere
                    ? statements.Where(one => news.Any(row => row.Seq > one.Watermark))
                    : statements.Where(one => news.Any(row => row.Seq > one.Watermark && row.FirstHour < one.ToHour && row.LastHour >= one.FromHour));
                changed.UnionWith(await statements.Select(one => one.Id).ToListAsync(cancellationToken));
            }

            return [.. closed.Where(one => changed.Contains(one.Id))];
        }

        private async Task<IReadOnlyList<Check>> ChecksAsync(
            Period period, RatingPeriod hours, IReadOnlyList<Period> earlier, ContractVersion agreed, IReadOnlyList<ContractCluster> clusters, PeriodInputs inputs, RatedPeriod rated,
            IReadOnlyList<Restated> restated, CancellationToken cancellationToken)
        {
            var ids = clusters.Select(cluster => cluster.Id).ToList();
            var windows = EffectiveWindows.Of(db, hours.FromHour, hours.ToHour, watermark, contract.CustomerId, ids);
            var disputed = await (from window in windows
                                  join aside in db.Set<QuarantinedWindow>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { aside.ClusterId, aside.Hour, aside.Epoch, aside.Revision }
                                  where aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null
                                  select new { window.ClusterId, window.Hour }).Distinct().LongCountAsync(cancellationToken);
            var parked = await (from window in windows
                                join cell in db.Set<ParkedCell>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
                                select new { window.ClusterId, window.Hour }).Distinct().LongCountAsync(cancellationToken);
            var lowered = await LoweredAsync(windows, 0, cancellationToken);
            var before = new List<(string Month, long Count)>();
            foreach (var last in restated.Select(one => one.Last))
            {
                var of = EffectiveWindows.Of(db, last.FromHour, last.ToHour, watermark, contract.CustomerId, versions.Single(version => version.Number == last.ContractVersion).Read().Clusters);
                before.Add((Period.Month(last.FromHour), await LoweredAsync(of, last.Watermark, cancellationToken)));
            }

            before.RemoveAll(month => month.Count == 0);
            var waiting = await db.Set<WaitingWindow>().AsNoTracking().LongCountAsync(row => ids.Contains(row.ClusterId), cancellationToken);
            var opens = UsageWindow.StartOf(period.ToHour) + Grace;
            return
            [
                new("earlier-period-open", earlier.Count(row => row.State == PeriodState.Open && row.Within(contract.FromHour, contractTo) is not null), true, false, "Earlier periods of the contract are closed first: what they leave is part of this one."),
                new("grace", now < opens ? 1 : 0, true, true, $"Hours may still come until {UsageWindow.Text(opens)}."),
                new("missing-hours", inputs.MissingCount, agreed.Read().Missing == MissingPolicy.Block, true, agreed.Read().Missing switch
                {
                    MissingPolicy.Carry => "Hours that did not come are estimated from the hour before them, and listed.",
                    MissingPolicy.Zero => "Hours that did not come count as nothing, and are listed.",
                    _ => "The contract wants hours that did not come looked at; put up with, they count as nothing and are listed.",
                }),
                new("disputed-hours", disputed, true, false, "Hours came twice with different contents: somebody decides, or the cluster sends a higher revision."),
                new("waiting-windows", waiting, true, true, "Windows of these clusters cannot be judged yet: a copy of a cluster is suspected, or a key is not known."),
                new("incomplete-hours", inputs.IncompleteHours, false, true, "Clusters say that they could not observe everything in these hours."),
                new("parked-hours", parked, false, true, "Hours hold quantities of meters that are not defined; they count, as a correction, once these are."),
                new("lowered-hours", lowered + before.Sum(month => month.Count), false, true, "A revision lowered a meter of these hours by more than a tenth."
                    + (before.Count == 0 ? "" : $" Of closed months that are corrected here: {string.Join(", ", before.Select(month => string.Create(CultureInfo.InvariantCulture, $"{month.Count} in {month.Month}")))}.")),
                new("unpriced-meters", rated.Unpriced.Count, false, true, rated.Unpriced.Count == 0 ? "Every meter that was counted has a price." : $"These meters were counted and have no price: {string.Join(", ", rated.Unpriced)}."),
            ];
        }

        /// <summary>Hours of which the revision that counts lowers what they said, and came after a number.</summary>
        private Task<long> LoweredAsync(IQueryable<EffectiveWindow> windows, long after, CancellationToken cancellationToken) =>
            (from window in windows
             join stored in db.Set<StoredWindow>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { stored.ClusterId, stored.Hour, stored.Epoch, stored.Revision }
             where stored.LoweredBy > 0 && stored.Seq > after
             select window.Hour).LongCountAsync(cancellationToken);

        /// <summary>How long hours may still come after a period's end before it is closed.</summary>
        private static readonly TimeSpan Grace = TimeSpan.FromHours(72);
    }
}
