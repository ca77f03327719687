using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Me;
using MissionControl.Identity.People;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Devices;

/// <summary>
/// <c>/api/v1/identity/me/devices</c>: the person's half. A code that somebody else sent is the known trick here (RFC 8628, 5.4): no link
/// carries it, the page shows from where it was asked for, and permitting it is confirmed.
/// </summary>
internal static class MyDevices
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var devices = api.MapGroup("/me/devices").RequireAuthorization();
        devices.MapPost("/find", FindAsync).WithName("FindDevice").WithSummary("The program that shows a code and waits for somebody").Produces<DeviceItem>();
        devices.MapPost("/{id:guid}/approve", ApproveAsync).WithName("ApproveDevice").WithSummary("Sign a program without a browser in as oneself").Produces(StatusCodes.Status204NoContent);
        devices.MapPost("/{id:guid}/deny", DenyAsync).WithName("DenyDevice").WithSummary("Refuse a program that waits to be signed in").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> FindAsync(FindDeviceRequest request, [AsParameters] Asking ask, DeviceLimits limits, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } self)
        {
            return Asking.NoPerson();
        }

        if (!limits.MayType(self.Person.Id))
        {
            return Problems.Of(ProblemCodes.RateLimited, "You typed many codes. Try again in a few seconds.");
        }

        var (code, now) = (DeviceAttempt.Normalize(request.UserCode!), ask.Time.GetUtcNow());
        return await ask.Db.Set<DeviceAttempt>().AsNoTracking().SingleOrDefaultAsync(row => row.UserCode == code && row.DecidedAt == null && row.ExpiresAt > now, cancellationToken) is { } found
            ? TypedResults.Ok(new DeviceItem(found.Id, found.Agent, found.Address, found.CreatedAt, found.ExpiresAt))
            : Problems.Invalid([new FieldError("/userCode", "unknown-code", "No program shows this code now. A code is good once, for ten minutes.")]);
    }

    private static async Task<IResult> ApproveAsync(Guid id, ApproveDeviceRequest request, [AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        var now = ask.Time.GetUtcNow();
        if (Actor.IdOf(ask.Http.User) is null || await ask.Db.Set<DeviceAttempt>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.DecidedAt == null && row.ExpiresAt > now, cancellationToken) is not { } waiting)
        {
            return Problems.NotFound();
        }

        return await ask.ProvenAsync(
            request.Code, acceptsRecovery: false,
            self => (StepUp.SignInDevice(self.Person.Id, id, waiting.Agent), $"A program that asks from {waiting.Address ?? "an unknown address"} and calls itself “{waiting.Agent}” is signed in as you, {self.Person.Label}, and can do what you can."),
            async self =>
            {
                var (person, session) = (self.Person, self.Session);
                if (await ask.Db.Set<DeviceAttempt>().Where(row => row.Id == id && row.DecidedAt == null && row.ExpiresAt > now).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.DecidedAt, now).SetProperty(row => row.PersonId, person.Id).SetProperty(row => row.PersonStamp, person.Stamp).SetProperty(row => row.SessionId, session), cancellationToken) == 0)
                {
                    return Problems.NotFound();
                }

                ask.Events.Audit(person.Fact("identity.device-approved") with
                {
                    Changes = [Change.Add("/device", id)],
                    Personal = new Dictionary<string, string> { ["deviceAgent"] = waiting.Agent, ["deviceAddress"] = waiting.Address ?? "unknown" },
                });
                return TypedResults.NoContent();
            });
    }

    private static Task<IResult> DenyAsync(Guid id, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        Actor.IdOf(ask.Http.User) is null ? Task.FromResult(Problems.NotFound()) : ask.ChangeAsync(async self =>
        {
            var now = ask.Time.GetUtcNow();
            if (await ask.Db.Set<DeviceAttempt>().Where(row => row.Id == id && row.DecidedAt == null && row.ExpiresAt > now).ExecuteUpdateAsync(set => set.SetProperty(row => row.DecidedAt, now), cancellationToken) == 0)
            {
                return Problems.NotFound();
            }

            ask.Events.Audit(self.Person.Fact("identity.device-denied") with { Changes = [Change.Add("/device", id)] });
            return TypedResults.NoContent();
        });
}
