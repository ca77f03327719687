using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Http;

/// <summary>What every request passes: errors become problem documents, floods are bounded, nothing is cached by accident.</summary>
public static partial class PlatformHttp
{
    /// <summary>Registers validation, problem documents and rate limits.</summary>
    public static void AddPlatformHttp(this IServiceCollection services)
    {
        services.AddSingleton<IExceptionHandler, ProblemExceptionHandler>();
        services.AddSingleton<IProblemDetailsWriter, ValidationProblems>();
        services.AddProblemDetails();

        // A parameter or body that cannot be read is answered by a problem document of ours, as everything is.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddOptions<ApiOptions>().BindConfiguration("Api").ValidateDataAnnotations().ValidateOnStart();
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.OnRejected = async (context, _) =>
            {
                var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(10);
                context.HttpContext.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
                await Problems.WriteAsync(context.HttpContext, ProblemCodes.RateLimited, "Slow down and come back after Retry-After.");
            };
            // Call-home has its own bounds (queue, enrolment limiter); here are people and programs on the API.
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                IsNotLimited(context)
                    ? RateLimitPartition.GetNoLimiter("none")
                    : RateLimitPartition.GetTokenBucketLimiter(CallerOf(context), _ =>
                    {
                        var each = context.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value.RequestsPerMinute;
                        return new TokenBucketRateLimiterOptions { TokenLimit = each, TokensPerPeriod = (each + 59) / 60, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0 };
                    }));
        });
    }

    /// <summary>Errors outermost, then limits.</summary>
    public static void UsePlatformHttp(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.Use(static async (context, next) =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";

            // Some engines refuse NUL in a text; whoever sends one means nothing good.
            if (context.Request.QueryString.Value?.Contains("%00", StringComparison.Ordinal) == true)
            {
                await Problems.WriteAsync(context, ProblemCodes.Malformed, "A parameter holds NUL, which no text here does.");
                return;
            }

            await next(context);

            // The framework answers a body beyond the server's limit by the bare status.
            if (context.Response is { StatusCode: StatusCodes.Status413PayloadTooLarge, HasStarted: false, ContentType: null })
            {
                await Problems.WriteAsync(context, ProblemCodes.PayloadTooLarge, "The body is larger than this server reads. Send less at once.");
            }
        });
    }

    /// <summary><c>/problems/{code}</c>: what a problem's type points to.</summary>
    public static void MapProblemPages(this IEndpointRouteBuilder routes) => routes
        .MapGet("/problems/{code}", static (string code) => ProblemCodes.All.TryGetValue(code, out var problem)
            ? Results.Json(new { problem.Code, problem.Status, problem.Title, Retry = problem.IsFinal ? "final" : "later" })
            : Problems.NotFound())
        .AllowAnonymous().OnSurface(Surface.Api | Surface.Portal | Surface.CallHome | Surface.Operations).WithName("DescribeProblem").WithSummary("What a problem code means").WithTags("problems");

    /// <summary>
    /// Whoever sends no token is bounded by address where strangers come: at the portal's public listener. The listeners that serve
    /// the API and no page (loopback, edge, internal) are reached by the portal alone and by who is on the machine; there all readers
    /// of the portal have one address, and a bound on it would let one stranger shut out everybody.
    /// </summary>
    private static bool IsNotLimited(HttpContext context)
    {
        var served = context.Features.Get<SurfaceOf>()?.Value ?? Surface.None;
        return served is Surface.CallHome or Surface.None
            || ((served & (Surface.Api | Surface.Portal)) == Surface.Api && context.User.FindFirst("sub") is null);
    }

    private static string CallerOf(HttpContext context) =>
        context.User.FindFirst("sub")?.Value ?? context.Connection.RemoteIpAddress?.ToString() ?? "unknown";

    private sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            switch (exception)
            {
                case BadHttpRequestException bad:
                    await Problems.WriteAsync(httpContext, bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? ProblemCodes.PayloadTooLarge : ProblemCodes.Malformed,
                        bad.InnerException is System.Text.Json.JsonException json ? $"The JSON body cannot be read at {json.Path ?? "its beginning"}." : bad.Message);
                    return true;
                case IOException { InnerException: OverflowException }:
                    // How the server says that the size of a chunk is beyond all numbers.
                    await Problems.WriteAsync(httpContext, ProblemCodes.Malformed, "The chunks of the body cannot be read.");
                    return true;
                case DbUpdateConcurrencyException:
                    await Problems.WriteAsync(httpContext, ProblemCodes.PreconditionFailed, "Somebody else changed it at the same moment. Read it again and decide anew.");
                    return true;
                case Exception when IsUnavailable(exception, httpContext):
                    await Problems.WriteAsync(httpContext, ProblemCodes.StorageUnavailable, "The database cannot be used at present. Nothing of this request was kept; send it again after Retry-After.");
                    return true;
                case OperationCanceledException when httpContext.RequestAborted.IsCancellationRequested:
                    httpContext.Response.StatusCode = 499;
                    return true;
                default:
                    LogUnhandled(logger, exception, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName);
                    await Problems.WriteAsync(httpContext, ProblemCodes.Internal, "Nothing of this request was kept unless an answer says so. Give the trace id to whoever operates Mission Control.");
                    return true;
            }
        }

        private bool IsUnavailable(Exception exception, HttpContext context)
        {
            if (context.RequestServices.GetRequiredService<IDatabaseDialect>().UnavailableBehind(exception) is not { } database)
            {
                return false;
            }

            LogUnavailable(logger, database, context.Request.Method, context.GetEndpoint()?.DisplayName);
            return true;
        }

        [LoggerMessage(131, LogLevel.Warning, "{Method} {Endpoint} found the database unavailable and was answered 503")]
        private static partial void LogUnavailable(ILogger logger, Exception exception, string method, string? endpoint);

        [LoggerMessage(130, LogLevel.Error, "{Method} {Endpoint} failed")]
        private static partial void LogUnhandled(ILogger logger, Exception exception, string method, string? endpoint);
    }
}
