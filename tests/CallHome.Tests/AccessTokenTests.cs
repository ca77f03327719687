using System.Security.Cryptography;
using MissionControl.CallHome.Credentials;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class AccessTokenTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-access-").FullName;

    [Fact]
    public void Tokens_are_sealed_and_opened_by_many_at_once()
    {
        using var tokens = Tokens(directory, TimeProvider.System);

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
        using var tokens = Tokens(directory, time);
        using var others = Tokens(Path.Combine(directory, "other"), time);
        var text = tokens.Seal(Guid.NewGuid());

        Assert.True(tokens.TryOpen(text, out _));
        Assert.False(others.TryOpen(text, out _));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(tokens.TryOpen(text, out _));
    }

    [Fact]
    public void A_rotated_key_seals_from_its_instant_on_and_the_old_one_still_opens()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        using var tokens = Tokens(directory, time);
        var before = tokens.Seal(Guid.NewGuid());
        var first = Path.Combine(directory, "keys", "token-sealing.key");
        Assert.True(KeyFiles.TryWrite(KeyFiles.PathOf(first, time.GetUtcNow().AddSeconds(-1)), RandomNumberGenerator.GetBytes(32)));
        using var replica = Tokens(directory, time);

        var after = replica.Seal(Guid.NewGuid());

        Assert.True(replica.TryOpen(before, out _));
        Assert.True(replica.TryOpen(after, out _));
        File.Delete(first);
        using var later = Tokens(directory, time, first);
        Assert.True(later.TryOpen(after, out _));
        Assert.False(later.TryOpen(before, out _));
    }

    [Fact]
    public void Without_its_tag_a_token_says_whose_it_was_however_old_and_opens_nothing()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        using var tokens = Tokens(directory, time);
        using var others = Tokens(Path.Combine(directory, "other"), time);
        var cluster = Guid.NewGuid();
        Assert.True(SealedToken.TryParse(tokens.Seal(cluster, 7), 'c', out var body));
        var (untagged, sha256) = (body[..^SealedToken.TagSize], SHA256.HashData(body));
        time.Advance(TimeSpan.FromHours(1));

        Assert.True(tokens.TryIdentify(untagged, sha256, out var token));
        Assert.Equal((cluster, 7L), (token.ClusterId, token.Generation));
        Assert.False(others.TryIdentify(untagged, sha256, out _));
        Assert.False(tokens.TryIdentify(untagged, SHA256.HashData(untagged), out _));
        Assert.False(tokens.TryIdentify(untagged.AsSpan(1), sha256, out _));
        Assert.False(tokens.TryIdentify(default, sha256, out _));
        untagged[20] ^= 1;
        Assert.False(tokens.TryIdentify(untagged, sha256, out _));
        Assert.False(tokens.TryOpen(SealedToken.Format('c', untagged), out _));
    }

    private static AccessTokens Tokens(string directory, TimeProvider time, string? file = null) =>
        new(new SealingKeys(new DataDirectory(directory), new CallHomeOptions { SealingKeyFile = file }, time), time);

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
