using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Licenses;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using Xunit;

namespace MissionControl.Licensing.Tests.Licenses;

/// <summary>The state of a licence as a table, and what holds whatever the licence says.</summary>
public sealed class LicenseRulesTests
{
    // Day 0; the licence runs for a year, its lease for 35 days.
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // After the start a licence only ever goes to the right; what is no more than a name of the best state stands with it.
    private static readonly Dictionary<string, int> Rank = new() { ["trial"] = 0, ["active"] = 0, ["expiring"] = 1, ["grace"] = 2, ["expired"] = 3, ["suspended"] = 4, ["revoked"] = 5 };
    private static readonly Dictionary<string, int> Badness = new() { ["allow"] = 0, ["allow_overage"] = 0, ["degrade"] = 1, ["deny"] = 2 };

    [Theory]
    [InlineData("production", "active", 10, 10, "5", "active", "VALID", "allow")]
    [InlineData("production", "active", -1, -1, "5", "new", "NOT_YET_VALID", "deny")]
    [InlineData("trial", "active", 10, 10, "5", "trial", "VALID", "allow")]
    [InlineData("internal", "active", 340, 340, "5", "expiring", "EXPIRING", "allow")]
    [InlineData("trial", "active", 340, 340, "5", "trial", "VALID", "allow")]
    [InlineData("trial", "active", 359, 359, "5", "expiring", "EXPIRING", "allow")]
    [InlineData("production", "active", 365, 365, "5", "grace", "GRACE", "allow")]
    [InlineData("production", "active", 394, 394, "11", "grace", "OVERAGE_ENDED", "deny")]
    [InlineData("production", "active", 395, 395, "5", "expired", "EXPIRED", "deny")]
    [InlineData("production", "suspended", 10, 10, "5", "suspended", "SUSPENDED", "deny")]
    [InlineData("production", "revoked", 500, 500, "5", "revoked", "REVOKED", "deny")]
    [InlineData("production", "active", 10, 10, "11", "active", "OVERAGE", "allow_overage")]
    [InlineData("production", "active", 10, 10, "12.5", "active", "OVERAGE", "allow_overage")]
    [InlineData("production", "active", 10, 10, "12.500000001", "active", "LIMIT_EXCEEDED", "deny")]
    [InlineData("production", "active", 10, 9, "5", "active", "REPORT_OVERDUE", "allow")]
    [InlineData("production", "active", 23, 9, "10", "active", "REPORT_OVERDUE", "allow")]
    [InlineData("production", "active", 23, 9, "11", "active", "OVERAGE_ENDED", "deny")]
    [InlineData("trial", "active", 16, 9, "11", "trial", "OVERAGE_ENDED", "deny")]
    [InlineData("trial", "active", 15, 9, "11", "trial", "OVERAGE", "allow_overage")]
    public void A_state_follows_from_the_licence_the_time_and_the_last_contact(string kind, string status, int day, int contact, string used, string state, string code, string decision)
    {
        var lease = Lease(kind, status, leaseUntil: 365);
        var verdict = LicenseRules.Check(lease, LicenseKnowledge.At(Start.AddDays(day), Start.AddDays(contact)), new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = used }));

        Assert.Equal((state, code, decision), (verdict.State, verdict.Code, verdict.Decision));
        Assert.Equal(state is "trial" or "active" or "expiring" or "grace", verdict.Valid);
        Assert.Equal(state, LicenseRules.State(lease, LicenseKnowledge.At(Start.AddDays(day), Start.AddDays(contact))));

        // Where the licence is only advice nothing is ever refused; where it is to degrade nothing is denied.
        var advice = LicenseRules.Check(lease with { Enforcement = "advisory" }, LicenseKnowledge.At(Start.AddDays(day), Start.AddDays(contact)), new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = used }));
        Assert.Equal((verdict.State, verdict.Code), (advice.State, advice.Code));
        Assert.StartsWith("allow", advice.Decision, StringComparison.Ordinal);
        Assert.NotEqual("deny", LicenseRules.Check(lease with { Enforcement = "degrade" }, LicenseKnowledge.At(Start.AddDays(day), null), LicenseQuestion.Plain).Decision);
    }

    [Fact]
    public void A_lease_that_was_not_renewed_and_a_clock_that_was_put_back_are_bridged_over_and_end_overage_alone()
    {
        var lapsed = LicenseRules.Check(Lease(leaseUntil: 35), LicenseKnowledge.At(Start.AddDays(200), Start.AddDays(200)), LicenseQuestion.Plain);
        Assert.Equal(("grace", "LEASE_LAPSED", "allow", true), (lapsed.State, lapsed.Code, lapsed.Decision, lapsed.Valid));

        var back = new LicenseKnowledge(Start.AddDays(5), Start.AddDays(20), Start.AddDays(20));
        var rolled = LicenseRules.Check(Lease(), back, new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = "10" }));
        Assert.Equal(("grace", "CLOCK_ROLLBACK", "critical", "allow", Start.AddDays(20)), (rolled.State, rolled.Code, rolled.Severity, rolled.Decision, rolled.EvaluatedAt));
        Assert.Equal("OVERAGE_ENDED", LicenseRules.Check(Lease(), back, new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = "11" })).Code);
        Assert.Equal("EXPIRED", LicenseRules.Check(Lease(), back with { HighWater = Start.AddDays(396) }, LicenseQuestion.Plain).Code);

        // A few minutes are no rollback: clocks are set right that way.
        Assert.Equal("VALID", LicenseRules.Check(Lease(), new LicenseKnowledge(Start.AddDays(5), Start.AddDays(5).AddMinutes(4), Start.AddDays(5)), LicenseQuestion.Plain).Code);
    }

    [Fact]
    public void A_check_says_what_is_used_and_left_and_what_is_not_in_the_licence()
    {
        var verdict = LicenseRules.Check(Lease(), LicenseKnowledge.At(Start.AddDays(1), Start.AddDays(1)), new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = "2.5", ["others"] = "99" }, ["sso", "maps", "maps"]));

        Assert.Equal(("ENTITLEMENT_MISSING", "deny", true), (verdict.Code, verdict.Decision, verdict.Valid));
        Assert.Equal(["maps"], verdict.MissingEntitlements);
        var limit = verdict.Limits[0];
        Assert.Equal(("hosts", "10", "2.5", "7.5", 25L, "12.5", verdict.EvaluatedAt), (limit.Meter, limit.Limit, limit.Used, limit.Remaining, limit.Percent, limit.Most, limit.AsOf));
        Assert.Equal(("0.5", "999999999999999999", (string?)null), (verdict.Limits[1].Used, verdict.Limits[1].Limit, verdict.Limits[1].Most));
        Assert.Equal((364, Start.AddDays(1).AddHours(1), Start.AddDays(15)), (verdict.DaysLeft, verdict.NextReportDue, verdict.OverageUntil));

        // What was used in January is nothing of February; of the term it stays.
        var spent = Lease() with { Limits = [Lease().Limits[0] with { Used = "99" }, Lease().Limits[1]] };
        Assert.Equal(["LIMIT_EXCEEDED", "VALID"], new[] { 30, 31 }.Select(day => LicenseRules.Check(spent, LicenseKnowledge.At(Start.AddDays(day), Start.AddDays(day)), LicenseQuestion.Plain).Code));
        Assert.Equal(["0", "0.5"], LicenseRules.Check(spent, LicenseKnowledge.At(Start.AddDays(31), null), LicenseQuestion.Plain).Limits.Select(one => one.Used));

        // The largest numbers a document can hold.
        var huge = Lease() with { Limits = [new LeaseLimit("hosts", 1, "999999999999999999.999999999", "term", "up-to", "999999999999999999.999999999", LicenseLease.MaxFactor, 1), new LeaseLimit("zero", 1, "0", "month", "deny", "0")] };
        var full = LicenseRules.Check(huge, LicenseKnowledge.At(Start.AddDays(1), null), LicenseQuestion.Plain);
        Assert.Equal(("allow", 100L, "0", "999999999999999999999999.999"), (full.Decision, full.Limits[0].Percent, full.Limits[0].Remaining, full.Limits[0].Most));
        Assert.Null(full.Limits[1].Percent);
    }

    /// <summary>Invariant 36: time that goes on makes nothing better, and a clock that is put back does not either.</summary>
    [Fact]
    public void Neither_time_nor_its_reversal_makes_a_licence_better()
    {
        var cases = from kind in Gen.Elements("trial", "production", "internal")
                    from status in Gen.Elements("active", "active", "active", "suspended", "revoked")
                    from enforcement in Gen.Elements("advisory", "degrade", "block")
                    from leaseUntil in Gen.Choose(0, 365)
                    from contact in Gen.Choose(-1, 400)
                    from used in Gen.Choose(0, 14)
                    from times in Gen.Choose(-20 * 24, 420 * 24).Two()
                    from back in Gen.Choose(0, 400 * 24)
                    select (Lease: Lease(kind, status, leaseUntil, enforcement), contact, used, Early: Math.Min(times.Item1, times.Item2), Late: Math.Max(times.Item1, times.Item2), back);
        Prop.ForAll(cases.ToArbitrary(), each =>
        {
            var (lease, question) = (each.Lease, new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = $"{each.used}" }));
            var contact = each.contact < 0 ? (DateTimeOffset?)null : Start.AddDays(each.contact);
            var early = Check(each.Early, each.Early);
            var late = Check(each.Late, each.Late);
            var rolledBack = Check(each.Late - each.back, each.Late);

            // The start of a licence is the one step that makes it better.
            if (early.State != "new")
            {
                Assert.True(Rank[late.State] >= Rank[early.State], $"{early.State} became {late.State}");
                Assert.True(Badness[late.Decision] >= Badness[early.Decision], $"{early.Decision} became {late.Decision}");
            }

            // Put back, the clock shows what it showed before, or worse.
            Assert.True(late.State == rolledBack.State || Rank[rolledBack.State] >= Rank[late.State], $"{late.State} became {rolledBack.State}");
            Assert.True(Badness[rolledBack.Decision] >= Badness[late.Decision]);
            Assert.Equal(Start.AddHours(each.Late), rolledBack.EvaluatedAt);

            LicenseVerdict Check(int now, int mark) => LicenseRules.Check(lease, new LicenseKnowledge(Start.AddHours(now), Start.AddHours(mark), contact), question);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    /// <summary>What lists filter by says the same as what is shown.</summary>
    [Fact]
    public void The_states_of_the_database_are_the_states_of_the_rules()
    {
        var cases = from kind in Gen.Elements("trial", "production") from status in Gen.Elements(Enum.GetValues<LicenseStatus>()) from leaseDays in Gen.Choose(1, 60) from end in Gen.Choose(1, 60) from day in Gen.Choose(-5, 100) select (kind, status, leaseDays, end, day);
        Prop.ForAll(cases.ToArbitrary(), each =>
        {
            var license = new License { Id = Guid.CreateVersion7(Start), CustomerId = Guid.Empty, Plan = "", Kind = each.kind, Status = each.status, NotBefore = Start, NotAfter = Start, Enforcement = "block", Limits = "[]", Entitlements = "[]", LeaseDays = 1, CreatedAt = Start, FromHour = 0 };
            license.RunTo(Start.AddDays(each.end));
            license.Signed(license.ToLease(1, license.Status, [], [], Start, Start.AddDays(Math.Min(each.leaseDays, each.end))), [], Start);
            var now = Start.AddDays(each.day);
            var state = LicenseRules.State(license.ToLease(1, license.Status, [], [], license.IssuedAt, license.LeaseUntil), LicenseKnowledge.At(now, now));
            Assert.Equal([state], LicenseRules.States.Where(one => LicensesApi.In(one, now).Compile()(license)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    [Fact]
    public void A_lease_is_read_as_it_was_written_and_nothing_that_two_readers_could_understand_differently()
    {
        var good = Encoding.UTF8.GetString(Lease().ToBytes());
        Assert.Equal(good, Encoding.UTF8.GetString(LicenseLease.Read(Encoding.UTF8.GetBytes(good), out var none)!.ToBytes()));
        Assert.Null(none);

        // The order of members says nothing, so an order of its own is read alike; what is signed are bytes, and those are others then.
        var reordered = good.Replace("\"v\":1,", "", StringComparison.Ordinal)[..^1].Insert(1, "") + ",\"v\":1}";
        Assert.Equal(good, Encoding.UTF8.GetString(LicenseLease.Read(Encoding.UTF8.GetBytes(reordered), out _)!.ToBytes()));

        (string What, string Old, string New)[] cases =
        [
            ("another version", "\"v\":1", "\"v\":2"), ("a member twice", "\"v\":1", "\"v\":1,\"v\":1"), ("a member that is not known", "\"v\":1", "\"v\":1,\"w\":1"), ("a member that is missing", "\"kind\":\"production\",", ""),
            ("a member in another case", "\"kind\"", "\"Kind\""), ("no serial", "\"serial\":7", "\"serial\":0"), ("a number as text", "\"serial\":7", "\"serial\":\"7\""), ("an unknown kind", "production", "free"), ("an unknown state", "\"status\":\"active\"", "\"status\":\"better\""),
            ("an unknown enforcement", "\"block\"", "\"erase\""), ("an end before the start", "2027-01-01T00:00:00Z\",\"graceUntil", "2025-01-01T00:00:00Z\",\"graceUntil"), ("an instant with a zone", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
            ("a lease longer than the licence", "\"leaseUntil\":\"2026-02-05T00:00:00Z\"", "\"leaseUntil\":\"2027-01-02T00:00:00Z\""), ("a limit of a meter twice", "\"meter\":\"data\"", "\"meter\":\"hosts\""), ("a negative limit", "\"limit\":\"10\"", "\"limit\":\"-10\""),
            ("a limit beyond all numbers", "\"limit\":\"10\"", "\"limit\":\"1000000000000000000\""), ("a limit with an exponent", "\"limit\":\"10\"", "\"limit\":\"1e1\""), ("a factor below one", "\"numerator\":5", "\"numerator\":3"), ("no divisor", "\"denominator\":4", "\"denominator\":0"),
            ("a factor without its policy", "\"policy\":\"allow\"", "\"policy\":\"allow\",\"numerator\":2"), ("an unknown policy", "\"policy\":\"allow\"", "\"policy\":\"more\""), ("an entitlement twice", "\"sso\"", "\"sso\",\"sso\""), ("no cluster", "\"clusters\":[{", "\"clusters\":[],\"x\":[{"),
            ("null for a limit", "\"limits\":[", "\"limits\":[null,"), ("a report in a second", "\"reportEvery\":3600", "\"reportEvery\":1"), ("overage without end", "\"overageDays\":14", "\"overageDays\":100000"),
        ];
        Assert.All(cases, each =>
        {
            Assert.True(good.Contains(each.Old, StringComparison.Ordinal), each.What);
            Assert.True(LicenseLease.Read(Encoding.UTF8.GetBytes(good.Replace(each.Old, each.New, StringComparison.Ordinal)), out var problem) is null && problem is not null, each.What);
        });
        Assert.Null(LicenseLease.Read("null"u8, out _));
    }

    private static LicenseLease Lease(string kind = "production", string status = "active", int leaseUntil = 35, string enforcement = "block") => new(
        1, "0198d1a0-0000-7000-8000-000000000001", 7, [new LeaseCluster("0198d1a0-0000-7000-8000-000000000002", ["kid"])], kind, status, Text(0), Text(365), Text(395), Text(0), Text(leaseUntil), 3600, 12 * 3600, LicenseRules.OverageDays(kind), enforcement,
        ["sso"], [new LeaseLimit("hosts", 1, "10", "month", "up-to", "1", 5, 4, Text(0)), new LeaseLimit("data", 1, "999999999999999999", "term", "allow", "0.5")]);

    private static string Text(int day) => UsageWindow.Text(Start.AddDays(day));
}
