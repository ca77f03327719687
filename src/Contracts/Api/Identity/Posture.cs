namespace MissionControl.Contracts.Api.Identity;

/// <summary>What is loose about who may sign in and call.</summary>
/// <param name="CustomerId">Whose it is; null: the vendor's own.</param>
/// <param name="AsOf">When it was looked at (UTC).</param>
/// <param name="Found">How many checks found something.</param>
/// <param name="Checks">Every check that was made, those that found nothing too, the weightiest first.</param>
public sealed record PostureReport(Guid? CustomerId, DateTimeOffset AsOf, int Found, IReadOnlyList<PostureCheck> Checks);

/// <summary>One thing that was looked for.</summary>
/// <param name="Code">
/// bootstrap-token, leaks-open, few-administrators, administrators-away, administrator-invitations, people-without-passkey, people-away, people-without-role, providers-without-second-factor, wide-rights,
/// tokens-unused, credentials-expiring, accounts-without-owner or accounts-without-credential; the first one of the vendor alone.
/// </param>
/// <param name="Title">What was looked for, in words.</param>
/// <param name="State">passed or found.</param>
/// <param name="Count">How many were found; of few-administrators how many are missing.</param>
/// <param name="Advice">What to do about it.</param>
/// <param name="Things">The first 20 of them, those that are so for longest first; of few-administrators those that there are.</param>
/// <param name="Link">The list of this API that holds all of them and nothing else; null: there is none.</param>
public sealed record PostureCheck(string Code, string Title, string State, long Count, string Advice, IReadOnlyList<PostureThing> Things, string? Link = null);

/// <summary>Something that was found.</summary>
/// <param name="Kind">person, token, key, service-account, leak, invitation or provider.</param>
/// <param name="Id">Its id.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Since">Since when it is so: the last sign-in or use, or when it was made; null: that is not known (UTC).</param>
/// <param name="EndsAt">When it ends by itself, where that matters (UTC).</param>
/// <param name="AccountId">The service account whose token, secret or key it is.</param>
public sealed record PostureThing(string Kind, string Id, string Label, DateTimeOffset? Since, DateTimeOffset? EndsAt = null, Guid? AccountId = null);
