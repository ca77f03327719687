using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Meters;

/// <summary><c>/api/v1/licensing/meters</c>: what quantities mean. A version never changes once it is defined.</summary>
internal static class MetersApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/meters", ListAsync).RequireScope("licensing:read").WithName("ListMeters").WithSummary("Meters, all versions").Produces<Page<MeterItem>>();
        api.MapPost("/meters", DefineAsync).RequireScope("licensing:write").WithName("DefineMeter").WithSummary("Define a version of a meter; parked quantities then count").Produces<MeterItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
    }

    private static async Task<IResult> ListAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var meters = await Meters.AllAsync(db, cancellationToken);
        return TypedResults.Ok(new Page<MeterItem>([.. meters.Values.OrderBy(meter => meter.Key, StringComparer.Ordinal).ThenBy(meter => meter.MeterVersion).Select(meter => meter.ToItem())], null));
    }

    private static async Task<IResult> DefineAsync(DefineMeterRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor defines meters.");
        }

        var meters = await Meters.AllAsync(db, cancellationToken);
        if (meters.ContainsKey((request.Key!, request.Version)))
        {
            return Problems.Of(ProblemCodes.MeterExists, $"{request.Key} version {request.Version} never changes; define version {request.Version + 1}.");
        }

        var meter = new Meter
        {
            Key = request.Key!,
            MeterVersion = request.Version,
            Unit = request.Unit!.Trim(),
            Scale = request.Scale,
            Aggregation = Meter.Read(request.Aggregation!),
            Description = request.Description?.Trim() ?? "",
            CreatedAt = time.GetUtcNow(),
        };
        if (Unlike(meter, meters.Values.FirstOrDefault(other => other.Key == meter.Key)) is { Count: > 0 } unlike)
        {
            return Problems.Invalid(unlike);
        }

        db.Add(meter);
        events.Audit(new AuditFact("licensing.meter-defined", AuditLog.Operator, "meter", $"{meter.Key}/{meter.MeterVersion}")
        {
            Changes = [Change.Add("/unit", meter.Unit), Change.Add("/scale", meter.Scale), Change.Add("/aggregation", request.Aggregation)],
        });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.Meter, Guid.Empty, $"{meter.Key}/{meter.MeterVersion}")], cancellationToken);
        return TypedResults.Created("/api/v1/licensing/meters", meter.ToItem());
    }

    /// <summary>Versions of a meter are added together, whatever their scale: so they count the same, in the same way.</summary>
    private static List<FieldError> Unlike(Meter meter, Meter? other)
    {
        var errors = new List<FieldError>();
        if (other is not null && meter.Unit != other.Unit)
        {
            errors.Add(new FieldError("/unit", "unit-fixed", $"{meter.Key} counts in {other.Unit}, in all its versions; another unit is another meter."));
        }

        if (other is not null && meter.Aggregation != other.Aggregation)
        {
            errors.Add(new FieldError("/aggregation", "aggregation-fixed", $"{meter.Key} is {Meter.Word(other.Aggregation)}, in all its versions; another aggregation is another meter."));
        }

        return errors;
    }
}
