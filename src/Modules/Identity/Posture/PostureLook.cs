using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Posture;

/// <summary>One look at what is loose: whose, and when. Each check asks the database for its first things, and for how many there are only when these are not all.</summary>
internal sealed record PostureLook(ControlPlaneDbContext Db, Guid? CustomerId, DateTimeOffset Now, CancellationToken Aborted)
{
    /// <summary>Things that are told of a check; how many there are is told besides.</summary>
    public const int MostThings = 20;

    /// <summary>Whoever did nothing for so long is away, and a token unused.</summary>
    private const int LongDays = 90;

    /// <summary>What ends within these days is to be replaced now.</summary>
    private const int SoonDays = 14;

    public DateTimeOffset LongAgo => Now.AddDays(-LongDays);

    public DateTimeOffset Soon => Now.AddDays(SoonDays);

    /// <summary>The role that manages people.</summary>
    public string Administrator => CustomerId is null ? RoleBook.Administrator : RoleBook.CustomerAdministrator;

    /// <summary>People who may sign in.</summary>
    public IQueryable<Person> People()
    {
        var customer = CustomerId;
        return Db.Set<Person>().AsNoTracking().Where(row => row.CustomerId == customer && row.DisabledAt == null);
    }

    /// <summary>Tokens and client secrets that are good, but the one of the first start, which has a check of its own.</summary>
    public IQueryable<ApiToken> Tokens() => Live().Where(row => row.Name != ApiToken.Bootstrap || row.PersonId != null || row.AccountId != null || row.CustomerId != null);

    /// <summary>The token of the first start, while it is good.</summary>
    public IQueryable<ApiToken> Bootstrap() => Live().Where(row => row.Name == ApiToken.Bootstrap && row.PersonId == null && row.AccountId == null && row.CustomerId == null);

    /// <summary>Programs that may call.</summary>
    public IQueryable<ServiceAccount> Accounts()
    {
        var customer = CustomerId;
        return Db.Set<ServiceAccount>().AsNoTracking().Where(row => row.CustomerId == customer && row.DisabledAt == null);
    }

    /// <summary>Makes a check of rows in an order.</summary>
    public async Task<PostureCheck> FindAsync<T>(string code, string title, string advice, IQueryable<T> ordered, Func<T, PostureThing> describe)
    {
        var (things, count) = await FirstAsync(ordered, describe);
        return Of(code, title, advice, things, count);
    }

    /// <summary>The first things, and how many there are.</summary>
    public async Task<(List<PostureThing> Things, long Count)> FirstAsync<T>(IQueryable<T> ordered, Func<T, PostureThing> describe)
    {
        var rows = await ordered.Take(MostThings).ToListAsync(Aborted);
        return (rows.ConvertAll(row => describe(row)), rows.Count < MostThings ? rows.Count : await ordered.LongCountAsync(Aborted));
    }

    public static PostureCheck Of(string code, string title, string advice, IReadOnlyList<PostureThing> things, long count) => new(code, title, count == 0 ? "passed" : "found", count, advice, things);

    private IQueryable<ApiToken> Live()
    {
        var (customer, now) = (CustomerId, Now);
        return Db.Set<ApiToken>().AsNoTracking().Where(row => row.CustomerId == customer && row.RevokedAt == null && row.ExpiresAt > now);
    }
}
