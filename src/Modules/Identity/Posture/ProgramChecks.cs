using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Leaks;
using MissionControl.Identity.People;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Posture;

/// <summary>What is loose about programs, and about what they prove themselves with.</summary>
internal static class ProgramChecks
{
    public static Task<PostureCheck> BootstrapAsync(PostureLook look) => look.FindAsync("bootstrap-token", "The token of the first start is still good",
        "Sign in as an administrator, which revokes it, or revoke it under Tokens: it may do everything, and belongs to nobody.", look.Bootstrap().OrderBy(row => row.CreatedAt), Describe);

    public static async Task<PostureCheck> LeaksAsync(PostureLook look, bool isStaff)
    {
        var customer = look.CustomerId;
        var check = await look.FindAsync("leaks-open", "Tokens that leaked, and nobody has closed", "See what each one did, replace it, and close the incident.",
            look.Db.Set<LeakIncident>().AsNoTracking().Where(row => row.CustomerId == customer && row.Outcome != null && row.ClosedAt == null).OrderBy(row => row.ReportedAt).ThenBy(row => row.Id),
            row => new PostureThing("leak", row.Id.ToString(), row.Name is null ? row.Loggable : $"{row.Name} ({row.Loggable})", row.ReportedAt));

        // The list cannot be narrowed to what is the vendor's own.
        const string open = "/api/v1/identity/leaks?state=open";
        return check with { Link = !isStaff ? open : customer is null ? null : $"{open}&customer={customer}" };
    }

    /// <summary>Rights that two people give, or everything. What the tokens of a service account may is the account's.</summary>
    public static async Task<PostureCheck> WideRightsAsync(PostureLook look)
    {
        var wide = ApiScopes.Sensitive.Append(Scopes.Everything).Order(StringComparer.Ordinal).Select(scope => $" {scope} ").ToList();
        var (tokens, tokenCount) = await look.FirstAsync(look.Tokens().Where(row => row.AccountId == null && wide.Any(scope => (" " + row.Scopes + " ").Contains(scope))).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id), Describe);
        var (accounts, accountCount) = await look.FirstAsync(look.Accounts().Where(row => wide.Any(scope => (" " + row.Scopes + " ").Contains(scope))).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id), Describe);
        return PostureLook.Of("wide-rights", "Tokens and programs that may do everything, or what takes two people to grant", "Take from each what it does not need; make a service account with a few rights in place of a token that may do everything.",
            [.. tokens.Concat(accounts).OrderBy(thing => thing.Since).Take(PostureLook.MostThings)], tokenCount + accountCount);
    }

    /// <summary>Not used for long, or never since it was made long ago.</summary>
    public static Task<PostureCheck> UnusedAsync(PostureLook look)
    {
        var then = look.LongAgo;
        return look.FindAsync("tokens-unused", "Tokens and client secrets that nothing has used for 90 days", "Revoke what no program needs: nobody would notice if somebody else used it.",
            look.Tokens().Where(row => row.CreatedAt < then && !look.Db.Set<UsedToken>().Any(use => use.TokenId == row.Id && use.Accepted > 0 && use.LastAt >= then)).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id)
                .Select(row => new { Token = row, Used = look.Db.Set<UsedToken>().Where(use => use.TokenId == row.Id && use.Accepted > 0).Max(use => (DateTimeOffset?)use.LastAt) }),
            row => Describe(row.Token) with { Since = row.Used ?? row.Token.CreatedAt });
    }

    /// <summary>What was rotated is replaced already.</summary>
    public static async Task<PostureCheck> ExpiringAsync(PostureLook look)
    {
        var (now, soon, accounts) = (look.Now, look.Soon, look.Accounts());
        var (tokens, tokenCount) = await look.FirstAsync(look.Tokens().Where(row => row.ExpiresAt <= soon && row.SuccessorId == null).OrderBy(row => row.ExpiresAt).ThenBy(row => row.Id), row => Describe(row) with { EndsAt = row.ExpiresAt });
        var (keys, keyCount) = await look.FirstAsync(
            look.Db.Set<ClientKey>().AsNoTracking().Where(row => row.RevokedAt == null && row.ExpiresAt > now && row.ExpiresAt <= soon && accounts.Any(account => account.Id == row.AccountId)).OrderBy(row => row.ExpiresAt).ThenBy(row => row.Id),
            row => new PostureThing("key", row.Id.ToString(), row.Name, row.CreatedAt, row.ExpiresAt, row.AccountId));
        return PostureLook.Of("credentials-expiring", "Tokens, client secrets and keys that end within 14 days", "Put the next one in place before it ends, or the program stops; let end what nothing uses.",
            [.. tokens.Concat(keys).OrderBy(thing => thing.EndsAt).Take(PostureLook.MostThings)], tokenCount + keyCount);
    }

    public static Task<PostureCheck> WithoutOwnerAsync(PostureLook look) => look.FindAsync("accounts-without-owner", "Programs whose owner is disabled", "Say who else answers for each one, on its page, or disable it.",
        look.Accounts().Join(look.Db.Set<Person>().Where(row => row.DisabledAt != null), row => row.OwnerId, owner => owner.Id, (row, owner) => new { Account = row, owner.DisabledAt }).OrderBy(row => row.DisabledAt).ThenBy(row => row.Account.Id),
        row => Describe(row.Account) with { Since = row.DisabledAt });

    public static Task<PostureCheck> WithoutCredentialAsync(PostureLook look)
    {
        var (now, tokens) = (look.Now, look.Tokens());
        return look.FindAsync("accounts-without-credential", "Programs that hold nothing to prove themselves with", "Disable what is not in use any more: whoever makes it a secret holds all that it may.",
            look.Accounts().Where(row => !tokens.Any(token => token.AccountId == row.Id) && !look.Db.Set<ClientKey>().Any(key => key.AccountId == row.Id && key.RevokedAt == null && key.ExpiresAt > now)).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id), Describe);
    }

    private static PostureThing Describe(ApiToken token) => new("token", token.Id, token.IsClientSecret ? $"{token.Name} {token.Id}" : token.Name, token.CreatedAt, null, token.AccountId);

    private static PostureThing Describe(ServiceAccount account) => new("service-account", account.Id.ToString(), account.Name, account.CreatedAt);
}
