using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Http;

/// <summary>Marks endpoints that may be asked again with the same <c>Idempotency-Key</c>.</summary>
public sealed record AcceptsIdempotencyKey;

/// <summary>
/// <c>Idempotency-Key</c>: the first answer of a principal, route and key is kept for 24 h in the transaction of its effect, and
/// given again to whoever repeats the request. The row holds the key's digest, and the answer sealed by the key itself: an answer
/// may carry a secret that is shown once, and the database alone must not give it away.
/// </summary>
public static class IdempotencyKeys
{
    private const string Header = "Idempotency-Key";
    private const int MinLength = 16;
    private const int MaxLength = 100;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>The endpoint may be asked again. Its handler must save through the request's own context, and open no write transaction itself.</summary>
    public static TBuilder AcceptIdempotencyKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new AcceptsIdempotencyKey()));
        return builder;
    }

    /// <summary>
    /// Null when the request has a key; else the problem to answer with: where money changes, a request that is sent twice in need must
    /// not count twice. The endpoint accepts keys.
    /// </summary>
    public static IResult? Missing(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Headers.ContainsKey(Header) ? null : Problems.Of(ProblemCodes.IdempotencyKeyRequired, $"Send {Header}, such as a UUID, and the same one when you send this again: it then happens once.");
    }

    /// <summary>
    /// What takes long is reckoned before the transaction begins, since on SQLite nobody else can write meanwhile. The result stands among
    /// the request's features, by its type; null: nothing. The handler looks whether it still holds.
    /// </summary>
    public static TBuilder PreparedBy<TBuilder>(this TBuilder builder, Func<HttpContext, ControlPlaneDbContext, CancellationToken, Task<object?>> prepare)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new Preparation(prepare)));
        return builder;
    }

    /// <summary>After authorisation: the key belongs to the principal.</summary>
    public static void UseIdempotencyKeys(this IApplicationBuilder app) => app.Use(static (context, next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<AcceptsIdempotencyKey>() is not null && context.Request.Headers.TryGetValue(Header, out var key)
            ? HandleAsync(context, key.ToString(), next)
            : next(context));

    private static async Task HandleAsync(HttpContext context, string key, RequestDelegate next)
    {
        if (key.Length is < MinLength or > MaxLength || key.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            await Problems.WriteAsync(context, ProblemCodes.Malformed, $"An Idempotency-Key has {MinLength} to {MaxLength} visible ASCII characters; a UUID is right.");
            return;
        }

        // The whole body first: while the transaction is open nothing foreign may be waited for.
        context.Request.EnableBuffering(bufferThreshold: 1024 * 1024);
        var digest = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted);
        context.Request.Body.Position = 0;
        var entry = new Entry(context, key, digest);
        var db = context.RequestServices.GetRequiredService<ControlPlaneDbContext>();
        if (context.GetEndpoint()!.Metadata.GetMetadata<Preparation>() is { } preparation && await preparation.Act(context, db, context.RequestAborted) is { } prepared)
        {
            context.Features[prepared.GetType()] = prepared;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        if (!await entry.TryClaimAsync(db, context.RequestAborted))
        {
            await transaction.DisposeAsync();
            await entry.ReplayAsync(db, context);
            return;
        }

        var answer = context.Response.Body;
        using var body = new MemoryStream();
        context.Response.Body = body;

        // From here on a caller who hangs up changes nothing: writing an answer ends silently when it is told so, and what was kept for
        // whoever asks again would be an answer without a body.
        var aborted = context.RequestAborted;
        context.RequestAborted = CancellationToken.None;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = answer;
            context.RequestAborted = aborted;
        }

        if (context.Response.StatusCode is >= 200 and < 300)
        {
            await entry.KeepAsync(db, context.Response, body);
        }
        else
        {
            // Nothing came of it, so the same key may be tried again.
            await entry.ForgetAsync(db);
        }

        await transaction.CommitAsync(CancellationToken.None);
        await transaction.DisposeAsync();
        if (context.Features.Get<AfterTransaction>() is { } after)
        {
            await after.Act();
        }

        body.Position = 0;
        await body.CopyToAsync(answer, context.RequestAborted);
    }

    /// <summary>What is written in a transaction of its own once this one is over; within it, it would wait for itself.</summary>
    internal sealed record AfterTransaction(Func<Task> Act);

    private sealed record Preparation(Func<HttpContext, ControlPlaneDbContext, CancellationToken, Task<object?>> Act);

    /// <summary>One row of <c>{module}_idempotency</c>.</summary>
    private sealed class Entry
    {
        private readonly string module;
        private readonly string principal;
        private readonly string route;
        private readonly string id;
        private readonly byte[] request;
        private readonly byte[] seal;
        private readonly long now;

        public Entry(HttpContext context, string key, byte[] request)
        {
            module = context.RequestServices.GetRequiredService<ModuleScope>().Current;
            principal = context.User.FindFirst("sub")!.Value;
            route = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}";
            route = route.Length <= 200 ? route : $"{route[..150]}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(route)))[..40]}";
            this.request = request;
            now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
            var secret = Encoding.ASCII.GetBytes(key);
            id = Base64Url.EncodeToString(SHA256.HashData([.. "mc-idempotency-id-v1\n"u8, .. secret]));
            seal = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, info: Encoding.UTF8.GetBytes($"mc-idempotency-answer-v1\n{principal}\n{route}"));
        }

        /// <summary>False when the row is there. A second replica waits here for the first one's commit, and then finds it.</summary>
        public async Task<bool> TryClaimAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
        {
            // What is past its term no longer counts, though the purge has not come by yet.
            var expired = DateTimeOffset.FromUnixTimeMilliseconds(now) - Retention.SharedRecords.IdempotencyTerm;
            await Row(db).Where(row => row.CreatedAt < expired).ExecuteDeleteAsync(cancellationToken);
            return await db.Dialect.InsertIfAbsentAsync(
                db, new BulkRows(ModuleTablesModel.Idempotency(module), ["principal", "route", "key", "request_sha256", "status", "body", "created_at"], ["principal", "route", "key"], [[principal, route, id, request, 0, Array.Empty<byte>(), now]]), cancellationToken) == 1;
        }

        public async Task KeepAsync(ControlPlaneDbContext db, HttpResponse response, MemoryStream body)
        {
            var (status, type, location, stored) = (response.StatusCode, response.ContentType, response.Headers.Location.ToString(), Seal(body.ToArray()));
            await Row(db).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Status, status).SetProperty(row => row.ContentType, type).SetProperty(row => row.Location, location.Length == 0 ? null : location).SetProperty(row => row.Body, stored));
        }

        public Task ForgetAsync(ControlPlaneDbContext db) => Row(db).ExecuteDeleteAsync();

        public async Task ReplayAsync(ControlPlaneDbContext db, HttpContext context)
        {
            var stored = await Row(db).AsNoTracking().SingleOrDefaultAsync(context.RequestAborted);
            if (stored is null)
            {
                await Problems.WriteAsync(context, ProblemCodes.Conflict, "A request with this Idempotency-Key ended a moment ago without effect. Send it again.");
                return;
            }

            if (!stored.RequestSha256.AsSpan().SequenceEqual(request))
            {
                await Problems.WriteAsync(context, ProblemCodes.IdempotencyKeyReused, "This Idempotency-Key came before with another body. Take a new key for a new request.");
                return;
            }

            context.Response.StatusCode = stored.Status;
            context.Response.Headers["Idempotency-Replayed"] = "true";
            if (stored.Location is not null)
            {
                context.Response.Headers.Location = stored.Location;
            }

            if (stored.ContentType is not null)
            {
                context.Response.ContentType = stored.ContentType;
                await context.Response.BodyWriter.WriteAsync(Open(stored.Body), context.RequestAborted);
            }
        }

        private IQueryable<IdempotencyRecord> Row(ControlPlaneDbContext db) =>
            db.IdempotencyRecords(module).Where(row => row.Principal == principal && row.Route == route && row.Key == id);

        private byte[] Seal(byte[] plain)
        {
            var bytes = new byte[NonceSize + plain.Length + TagSize];
            RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceSize));
            using var cipher = new AesGcm(seal, TagSize);
            cipher.Encrypt(bytes.AsSpan(0, NonceSize), plain, bytes.AsSpan(NonceSize, plain.Length), bytes.AsSpan(NonceSize + plain.Length));
            return bytes;
        }

        private byte[] Open(byte[] bytes)
        {
            var plain = new byte[bytes.Length - NonceSize - TagSize];
            using var cipher = new AesGcm(seal, TagSize);
            cipher.Decrypt(bytes.AsSpan(0, NonceSize), bytes.AsSpan(NonceSize, plain.Length), bytes.AsSpan(NonceSize + plain.Length), plain);
            return plain;
        }
    }
}
