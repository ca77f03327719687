using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.Leaks;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>Somebody as a row, with what stands beside it.</summary>
internal sealed record SeededPerson(Person Person, IReadOnlyList<object> Rows)
{
    public Guid Id => Person.Id;
}

/// <summary>Rows of identity as they would be after months, which no test waits for.</summary>
internal sealed class PostureSeeds(ControlPlane host, DateTimeOffset now)
{
    /// <summary>Since when everybody here is a person.</summary>
    public DateTimeOffset Made => now.AddDays(-400);

    public SeededPerson Somebody(Guid customer, string name, string? role, DateTimeOffset? signedIn = null, bool hasPasskey = true, bool isFederated = false, bool neverCame = false)
    {
        var email = $"{name.Replace(' ', '.')}.{Guid.NewGuid():N}@acme.example";
        var person = new Person
        {
            Id = Guid.CreateVersion7(now), Kind = Person.CustomerUser, CustomerId = customer, Name = name, Email = email, EmailKey = isFederated ? null : Person.KeyOf(email), CreatedAt = Made, LastSignInAt = neverCame ? null : signedIn ?? now,
        };
        List<object> rows = [person];
        if (role is not null)
        {
            rows.Add(new HeldRole { PersonId = person.Id, Role = role, Since = Made });
        }

        if (hasPasskey)
        {
            rows.Add(new Passkey { Id = Guid.CreateVersion7(now), PersonId = person.Id, CredentialId = RandomNumberGenerator.GetBytes(32), PublicKey = [1], Name = "key", CreatedAt = Made, ConfirmsFrom = Made });
        }

        return new SeededPerson(person, rows);
    }

    public ServiceAccount Account(Guid customer, Guid owner, string name, string scopes = "fleet:read") =>
        new() { Id = Guid.CreateVersion7(now), Name = name, CustomerId = customer, OwnerId = owner, MadeBy = Person.SubjectOf(owner), Scopes = scopes, Networks = "", CreatedAt = now };

    public static ApiToken Token(Guid? customer, string name, DateTimeOffset made, int days, Guid? account = null, params string[] scopes) =>
        ApiToken.Create(name, customer, scopes.Length == 0 ? ["fleet:read"] : scopes, [], TimeSpan.FromDays(days), made, out _, accountId: account);

    public ClientKey Key(Guid account, int days) => new() { Id = Guid.CreateVersion7(now), AccountId = account, Name = "key", Kid = Guid.NewGuid().ToString("N"), Algorithm = "ES256", Spki = [1], CreatedAt = now, ExpiresAt = now.AddDays(days) };

    public LeakIncident Leak(Guid customer, string name)
    {
        var leak = new LeakIncident { Id = Guid.CreateVersion7(now), Kind = "e", TokenId = Guid.NewGuid().ToString("N")[..12], SecretSha256 = RandomNumberGenerator.GetBytes(32), Source = "github", ReportedAt = now };
        leak.Confirm("was-used", customer, null, name, null, now);
        return leak;
    }

    public static Invitation Invited(Guid customer, string roles, DateTimeOffset made) => new()
    {
        Id = Guid.CreateVersion7(made), CodeSha256 = RandomNumberGenerator.GetBytes(32), Email = $"{Guid.NewGuid():N}@acme.example", Name = "Invited", Kind = Person.CustomerUser, CustomerId = customer, Roles = roles, InvitedBy = "person:x",
        TotpSecret = [], CreatedAt = made, ExpiresAt = made + Invitation.Life,
    };

    public CustomerProvider Provider(Guid customer, string name, string amr) => new()
    {
        Id = Guid.CreateVersion7(now), CustomerId = customer, Name = name, Issuer = $"https://{name}.example", ClientId = "mission-control", Scopes = "openid", GroupsClaim = "groups", Roles = "{}", RequiredAcr = "", RequiredAmr = amr, CreatedAt = now,
    };

    public async Task AddAsync(IEnumerable<object> rows)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("identity");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test adds rows as they would be after months");
        db.AddRange(rows.SelectMany(row => row is SeededPerson person ? person.Rows : [row]));
        await db.SaveChangesAsync();
    }

    public async Task DisableAsync(Guid person)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("identity");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test disables somebody");
        (await db.Set<Person>().FindAsync(person))!.Disable(now);
        await db.SaveChangesAsync();
    }
}

/// <summary>Counts the statements that a path causes.</summary>
internal sealed class StatementsOf(string path) : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<string> seen = new();
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    public int Count => seen.Count;

    public void Clear() => seen.Clear();

    public ILogger CreateLogger(string categoryName) => new Sink(this, categoryName == "Microsoft.EntityFrameworkCore.Database.Command");

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Sink(StatementsOf owner, bool isSql) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => isSql;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (isSql && eventId.Id == 20101)
            {
                owner.scopes.ForEachScope((scope, _) =>
                {
                    if (scope is IReadOnlyList<KeyValuePair<string, object?>> request && request.Any(pair => pair.Key == "RequestPath" && Equals(pair.Value, owner.Path)))
                    {
                        owner.seen.Enqueue(formatter(state, exception));
                    }
                }, 0);
            }
        }
    }

    private string Path => path;
}
