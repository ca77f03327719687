namespace MissionControl.FleetSimulator;

/// <summary>A network that loses, delays, doubles and reorders what one cluster sends.</summary>
internal sealed class FaultyNetwork(HttpMessageHandler inner, bool isOwn, Faults faults, Random random, TimeProvider time) : HttpMessageHandler
{
    private readonly HttpMessageInvoker way = new(inner, isOwn);
    private HttpRequestMessage? late;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (faults.DelayMs > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(-Math.Log(1 - random.NextDouble()) * faults.DelayMs), time, cancellationToken);
        }

        var lost = random.NextDouble() < faults.Loss;
        if (lost && random.Next(2) == 0)
        {
            throw new HttpRequestException("The simulated network lost the request.");
        }

        if (IsCheckIn(request) && random.NextDouble() < faults.Duplicates)
        {
            (await way.SendAsync(await CopyAsync(request), cancellationToken)).Dispose();
        }

        var held = late;
        late = IsCheckIn(request) && random.NextDouble() < faults.Reordering ? await CopyAsync(request) : null;
        var response = await way.SendAsync(request, cancellationToken);
        if (held is not null)
        {
            (await way.SendAsync(held, cancellationToken)).Dispose();
        }

        if (lost)
        {
            response.Dispose();
            throw new HttpRequestException("The simulated network lost the answer.");
        }

        return response;
    }

    protected override void Dispose(bool disposing)
    {
        late?.Dispose();
        late = null;
        way.Dispose();
        base.Dispose(disposing);
    }

    private static bool IsCheckIn(HttpRequestMessage request) => request.RequestUri!.AbsolutePath.EndsWith("/checkin", StringComparison.Ordinal);

    private static async Task<HttpRequestMessage> CopyAsync(HttpRequestMessage request)
    {
        var content = new ByteArrayContent(await request.Content!.ReadAsByteArrayAsync());
        foreach (var header in request.Content.Headers)
        {
            content.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        return new HttpRequestMessage(request.Method, request.RequestUri) { Content = content, Headers = { Authorization = request.Headers.Authorization } };
    }
}

/// <summary>A clock that is wrong by always the same amount.</summary>
internal sealed class SkewedTime(TimeProvider time, TimeSpan skew) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + skew;

    public override long GetTimestamp() => time.GetTimestamp();

    public override long TimestampFrequency => time.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);
}
