using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>What a role knows of identity's tokens, people and keys, from its own table; remembered for a second, so that a revocation holds within two.</summary>
internal sealed class KnownTokens(IServiceScopeFactory scopes, TimeProvider time)
{
    public const string TokenKind = "token";
    public const string PersonKind = "person";
    public const string UserKeyKind = "user-keys";
    public const string AccountKind = "service-account";
    public const string ClientKeyKind = "client-keys";
    private const int Capacity = 10_000;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<(string Module, string Kind, string Id), (object? Known, long ReadTick)> cache = new();
    private readonly ConcurrentDictionary<string, (IReadOnlyDictionary<string, VerificationKey> Keys, long ReadTick)> keys = new();
    private readonly ConcurrentDictionary<string, (string? Issuer, IReadOnlyDictionary<string, VerificationKey> Keys, long ReadTick)> clientKeys = new();

    public ValueTask<TokenChanged?> FindAsync(string module, string id, CancellationToken cancellationToken) => FindAsync<TokenChanged>(module, TokenKind, id, cancellationToken);

    /// <summary>A person; null: this role was not told of it yet. Asked only for what identity has signed.</summary>
    public ValueTask<PersonChanged?> FindPersonAsync(string module, Guid id, CancellationToken cancellationToken) => FindAsync<PersonChanged>(module, PersonKind, id.ToString("N"), cancellationToken);

    public ValueTask<ServiceAccountChanged?> FindAccountAsync(string module, Guid id, CancellationToken cancellationToken) => FindAsync<ServiceAccountChanged>(module, AccountKind, id.ToString("N"), cancellationToken);

    /// <summary>Who signs access tokens of clients, and by which keys; apart from those of user tokens, so that no key of one use is good for the other.</summary>
    public async ValueTask<(string? Issuer, IReadOnlyDictionary<string, VerificationKey> Keys)> ClientKeysAsync(string module, CancellationToken cancellationToken)
    {
        var tick = time.GetTimestamp();
        if (clientKeys.TryGetValue(module, out var known) && time.GetElapsedTime(known.ReadTick) < Freshness)
        {
            return (known.Issuer, known.Keys);
        }

        var body = await ReadAsync(module, ClientKeyKind, ClientKeyKind, cancellationToken);
        var message = body is null ? null : JsonSerializer.Deserialize<ClientKeysChanged>(body, MessageJson.Options);
        var read = (message?.Keys ?? new Dictionary<string, byte[]>()).ToDictionary(key => key.Key, key => VerificationKey.FromSpki(key.Value), StringComparer.Ordinal);
        clientKeys[module] = (message?.Issuer, read, tick);
        return (message?.Issuer, read);
    }

    public async ValueTask<IReadOnlyDictionary<string, VerificationKey>> UserKeysAsync(string module, CancellationToken cancellationToken)
    {
        var tick = time.GetTimestamp();
        if (keys.TryGetValue(module, out var known) && time.GetElapsedTime(known.ReadTick) < Freshness)
        {
            return known.Keys;
        }

        var body = await ReadAsync(module, UserKeyKind, UserKeyKind, cancellationToken);
        var message = body is null ? null : JsonSerializer.Deserialize<UserKeysChanged>(body, MessageJson.Options);
        var read = (message?.Keys ?? new Dictionary<string, byte[]>()).ToDictionary(key => key.Key, key => VerificationKey.FromSpki(key.Value), StringComparer.Ordinal);
        // None is what a role has that was not told yet; people who have just signed in do not wait until that is forgotten.
        if (read.Count > 0)
        {
            keys[module] = (read, tick);
        }

        return read;
    }

    private async ValueTask<T?> FindAsync<T>(string module, string kind, string id, CancellationToken cancellationToken)
        where T : class
    {
        // By the monotonic clock: when the wall clock is put back, a revocation must not wait for it to catch up.
        var tick = time.GetTimestamp();
        if (cache.TryGetValue((module, kind, id), out var entry) && time.GetElapsedTime(entry.ReadTick) < Freshness)
        {
            return (T?)entry.Known;
        }

        if (cache.Count > Capacity)
        {
            // Ids that nobody issued cost a look-up each, never memory without end.
            cache.Clear();
        }

        var body = await ReadAsync(module, kind, id, cancellationToken);
        var known = body is null ? null : JsonSerializer.Deserialize<T>(body, MessageJson.Options);
        // The same of a person: only what identity has signed leads here, so nobody can have unknown ones looked for without end.
        if (known is not null || kind != PersonKind)
        {
            cache[(module, kind, id)] = (known, tick);
        }

        return known;
    }

    private async Task<string?> ReadAsync(string module, string kind, string id, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        return await db.Projections(module).AsNoTracking().Where(row => row.Kind == kind && row.Id == id).Select(row => row.Body).SingleOrDefaultAsync(cancellationToken);
    }
}

/// <summary>Keeps the newest version of a token in the table of the module that handles it.</summary>
internal sealed class KeepToken(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<TokenChanged>
{
    public Task HandleAsync(TokenChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, KnownTokens.TokenKind, message.TokenId, message, cancellationToken);
}

/// <summary>Keeps the newest stamp of a person in the table of the module that handles it.</summary>
internal sealed class KeepPerson(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<PersonChanged>
{
    public Task HandleAsync(PersonChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, KnownTokens.PersonKind, message.Key, message, cancellationToken);
}

/// <summary>Keeps the newest set of keys that verify user tokens.</summary>
internal sealed class KeepUserKeys(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<UserKeysChanged>
{
    public Task HandleAsync(UserKeysChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, KnownTokens.UserKeyKind, KnownTokens.UserKeyKind, message, cancellationToken);
}

/// <summary>Keeps the newest version of a service account in the table of the module that handles it.</summary>
internal sealed class KeepServiceAccount(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<ServiceAccountChanged>
{
    public Task HandleAsync(ServiceAccountChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, KnownTokens.AccountKind, message.Key, message, cancellationToken);
}

/// <summary>Keeps the newest set of keys that verify access tokens of clients.</summary>
internal sealed class KeepClientKeys(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<ClientKeysChanged>
{
    public Task HandleAsync(ClientKeysChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, KnownTokens.ClientKeyKind, KnownTokens.ClientKeyKind, message, cancellationToken);
}

internal static class Projections
{
    public static Task KeepAsync<T>(ControlPlaneDbContext db, string module, string kind, string id, T message, CancellationToken cancellationToken)
        where T : Contracts.IMessage =>
        db.Dialect.UpsertAsync(
            db, new BulkRows($"{module}_projection", ["kind", "id", "version", "body"], ["kind", "id"], [[kind, id, message.Version, JsonSerializer.Serialize(message, MessageJson.Options)]]), "version", cancellationToken);
}
