using MissionControl.CallHome.Credentials;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class AccessTokenTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-access-").FullName;

    [Fact]
    public void Tokens_are_sealed_and_opened_by_many_at_once()
    {
        using var tokens = new AccessTokens(new DataDirectory(directory), new CallHomeOptions(), TimeProvider.System);

        Parallel.For(0, 20_000, _ =>
        {
            var cluster = Guid.NewGuid();
            Assert.True(tokens.TryOpen(tokens.Seal(cluster), out var token));
            Assert.Equal(cluster, token.ClusterId);
        });
    }

    [Fact]
    public void A_token_ends_after_ten_minutes_and_counts_only_under_its_own_key()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        using var tokens = new AccessTokens(new DataDirectory(directory), new CallHomeOptions(), time);
        using var others = new AccessTokens(new DataDirectory(Path.Combine(directory, "other")), new CallHomeOptions(), time);
        var text = tokens.Seal(Guid.NewGuid());

        Assert.True(tokens.TryOpen(text, out _));
        Assert.False(others.TryOpen(text, out _));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(tokens.TryOpen(text, out _));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
