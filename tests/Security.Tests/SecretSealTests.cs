using System.Security.Cryptography;
using MissionControl.Platform.Security;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests;

/// <summary>What lies sealed in the database and on disk.</summary>
public sealed class SecretSealTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-seal-").FullName;
    private readonly ManualTime time = new(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));

    private string First => Path.Combine(root, "test.key");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void What_is_sealed_opens_in_its_place_by_any_key_of_the_use_and_nowhere_else()
    {
        var seal = new SecretSeal(First, "test v1", time);
        byte[] secret = [1, 2, 3];
        var box = seal.Seal(secret, "row 1");
        File.WriteAllBytes(KeyFiles.PathOf(First, time.GetUtcNow().AddMinutes(1)), KeyFiles.NewSymmetric());
        time.Advance(TimeSpan.FromMinutes(2));
        var byNew = seal.Seal(secret, "row 1");

        Assert.Equal(secret, seal.Open(box, "row 1"));
        Assert.Equal(secret, seal.Open(byNew, "row 1"));
        Assert.NotEqual(box, seal.Seal(secret, "row 1"));
        Assert.Throws<CryptographicException>(() => seal.Open(box, "row 2"));
        Assert.Throws<CryptographicException>(() => new SecretSeal(First, "another use", time).Open(box, "row 1"));
        Assert.Throws<CryptographicException>(() => new SecretSeal(Path.Combine(root, "other.key"), "test v1", time).Open(box, "row 1"));
        foreach (var index in new[] { 0, 12, box.Length - 1 })
        {
            var bent = (byte[])box.Clone();
            bent[index] ^= 1;
            Assert.Throws<CryptographicException>(() => seal.Open(bent, "row 1"));
        }

        Assert.Throws<CryptographicException>(() => seal.Open(box.AsSpan(0, 20), "row 1"));
        File.Delete(First);
        Assert.Throws<CryptographicException>(() => seal.Open(box, "row 1"));
        Assert.Equal(secret, seal.Open(byNew, "row 1"));
    }
}
