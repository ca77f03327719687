using MissionControl.Contracts.Api.Fleet;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary>What is known of a cluster here besides its own message.</summary>
/// <param name="CloneSuspected">Two senders speak as it.</param>
/// <param name="LastUsageAt">From when missing usage counts: when the last arrived, later where the next is not due at once; null: never.</param>
/// <param name="Silence">How long nothing was heard, less our own standstills; null: it never spoke, or is not due to.</param>
internal sealed record OurKnowledge(bool CloneSuspected, DateTimeOffset? LastUsageAt, TimeSpan? Silence);

/// <summary>A cluster's health as judged: the status, the sentence that leads, and what must be remembered for the next time.</summary>
internal sealed class Judgement
{
    private readonly List<(Finding Finding, HealthStatus Status, RuleState? State, bool Colours)> judged;

    private Judgement(List<(Finding Finding, HealthStatus Status, RuleState? State, bool Colours)> judged, List<RuleState> states)
    {
        this.judged = judged;
        States = states;
    }

    /// <summary>What is not plainly green.</summary>
    public List<RuleState> States { get; }

    /// <summary>
    /// The worst of what is known and colours. Green needs at least one rule that said so: a cluster of which nothing is known is
    /// unknown, and a rule without its signal does not colour the others.
    /// </summary>
    public HealthStatus Status { get; private set; } = HealthStatus.Unknown;

    /// <summary>The sentence that leads: of the worst status, the first; null when nothing is wrong.</summary>
    public string? WorstReason { get; private set; }

    /// <summary>Every rule with its words, the green ones too.</summary>
    public IReadOnlyList<HealthIndicator> Indicators() => judged.ConvertAll(entry => entry.Finding.Indicator(entry.Status, entry.State, entry.Colours));

    /// <summary>Judges a message.</summary>
    /// <param name="health">What the cluster said.</param>
    /// <param name="before">What is remembered; null when nothing was ever judged: then a threshold counts at once, for nobody knows how long it has been passed.</param>
    /// <param name="at">When the cluster measured: what durations are counted by.</param>
    /// <param name="now">Our own clock.</param>
    /// <param name="ours">What is known here; null on arrival: what was judged of it last time stays.</param>
    public static Judgement Of(Wire health, IReadOnlyDictionary<string, RuleState>? before, DateTimeOffset at, DateTimeOffset now, OurKnowledge? ours)
    {
        var findings = Evaluate.Findings(health, now);
        if (ours is not null)
        {
            findings.Add(new Finding(Rules.Heartbeat, ours.Silence?.TotalMinutes));
            findings.Add(new Finding(Rules.UsageGap, ours.LastUsageAt is { } usage && usage <= now ? (now - usage).TotalHours : null));
            findings.Add(new Finding(Rules.Clone, ours.CloneSuspected ? 1 : 0));
        }

        var judged = new List<(Finding, HealthStatus, RuleState?, bool)>(findings.Count);
        var states = new List<RuleState>();
        var judgement = new Judgement(judged, states);
        var atMs = at.ToUnixTimeMilliseconds();
        var nowMs = now.ToUnixTimeMilliseconds();
        foreach (var finding in findings)
        {
            var colours = finding.Rule.Colours && !(finding.Rule.RestsInMaintenance && health.Maintenance);
            var state = Dated(finding, Next(finding, before, atMs, nowMs), nowMs);
            var status = finding.Value is null ? HealthStatus.Unknown : state?.Status ?? HealthStatus.Green;
            judged.Add((finding, status, state, colours));
            if (state is not null && IsRemembered(finding.Rule))
            {
                states.Add(state);
            }

            judgement.Add(status, colours, finding);
        }

        if (ours is null && before is not null)
        {
            // Judged elsewhere and only carried along.
            foreach (var state in before.Values.Where(state => state.Rule is { IsOurs: true }))
            {
                states.Add(state);
                judgement.Add(state.Status, state.Rule!.Colours, new Finding(state.Rule, state.Value));
            }
        }

        return judgement;
    }

    // Silence and clones are other roles' and other tables' facts, read anew whenever somebody asks.
    private static bool IsRemembered(Rule rule) => rule != Rules.Heartbeat && rule != Rules.Clone;

    /// <summary>Since when what is not remembered has been so: silence says it itself, of a clone it is not known.</summary>
    private static RuleState? Dated(in Finding finding, RuleState? state, long now) =>
        state is null || IsRemembered(finding.Rule) ? state
        : state with { Since = finding.Rule == Rules.Heartbeat ? now - (long)((state.Value - (state.Status == HealthStatus.Red ? Rules.Heartbeat.Critical : Rules.Heartbeat.Warning)!.Value) * 60_000) : 0 };

    private void Add(HealthStatus status, bool colours, in Finding finding)
    {
        // That usage comes does not make a cluster well of which nothing else is known.
        if (!colours || status == HealthStatus.Unknown || (status == HealthStatus.Green && finding.Rule.IsOurs))
        {
            return;
        }

        if (Status == HealthStatus.Unknown || status > Status)
        {
            Status = status;
            WorstReason = status == HealthStatus.Green ? null : finding.Symptom(status);
        }
    }

    private static RuleState? Next(in Finding finding, IReadOnlyDictionary<string, RuleState>? before, long at, long now)
    {
        if (finding.Value is not { } value)
        {
            return null;
        }

        var rule = finding.Rule;
        RuleState? known = null;
        string? key = null;
        if (before is { Count: > 0 })
        {
            before.TryGetValue(key = finding.Key, out known);
        }

        var warning = rule.Reaches(value, rule.Warning, known is { Status: >= HealthStatus.Yellow });
        var critical = rule.Reaches(value, rule.Critical, known is { Status: HealthStatus.Red });
        if (!warning && !critical)
        {
            return null;
        }

        var warningSince = warning ? Since(known?.WarningSince, rule.WarningFor) : 0;

        // Where only the time tells yellow from red, the first sight is yellow.
        var criticalSince = critical ? Since(known?.CriticalSince, rule.Critical == rule.Warning ? TimeSpan.Zero : rule.CriticalFor) : 0;
        var status = critical && at - criticalSince >= rule.CriticalFor.TotalMilliseconds ? HealthStatus.Red
            : warning && at - warningSince >= rule.WarningFor.TotalMilliseconds ? HealthStatus.Yellow
            : HealthStatus.Green;
        return new RuleState(key ?? finding.Key, status, known is not null && known.Status == status ? known.Since : now, warningSince, criticalSince, value);

        // A clock that was set back must not make a duration longer than it is.
        long Since(long? passed, TimeSpan wait) => passed is > 0 ? Math.Min(passed.Value, at) : before is null ? at - (long)wait.TotalMilliseconds : at;
    }
}
