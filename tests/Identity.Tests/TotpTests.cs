using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class TotpTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238, appendix B: the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_RFC_6238(long seconds, string code)
    {
        Assert.Equal(code, Totp.CodeAt(Secret, seconds / 30));
        Assert.Equal(seconds / 30, Totp.StepOf(Secret, code, DateTimeOffset.FromUnixTimeSeconds(seconds)));
    }

    [Fact]
    public void A_code_of_the_step_before_or_after_counts_and_of_no_other()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_015);
        var step = 1_800_000_015 / 30;
        Assert.Equal([null, step - 1, step, step + 1, null], new[] { -2, -1, 0, 1, 2 }.Select(away => Totp.StepOf(Secret, Totp.CodeAt(Secret, step + away), now)));
        Assert.Equal(step, Totp.StepOf(Secret, Totp.CodeAt(Secret, step).Insert(3, " "), now));
        Assert.Null(Totp.StepOf(Secret, "", now));
        Assert.Null(Totp.StepOf(Secret, Totp.CodeAt(Secret, step) + "0", now));
    }

    // RFC 4648, section 10.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Secrets_are_written_in_base32(string plain, string text) => Assert.Equal(text, Totp.Base32(Encoding.ASCII.GetBytes(plain)));

    [Fact]
    public void Wrong_tries_cost_more_and_more_and_never_more_than_a_quarter_of_an_hour()
    {
        Assert.All(Enumerable.Range(0, 5), tries => Assert.Equal(TimeSpan.Zero, Person.LockAfter(tries)));
        Assert.Equal([10, 20, 40, 80, 160, 320, 640, 900, 900], Enumerable.Range(5, 9).Select(tries => Person.LockAfter(tries).TotalSeconds));
        Assert.Equal(900, Person.LockAfter(int.MaxValue).TotalSeconds);
    }

    [Fact]
    public void A_stolen_password_is_found_wherever_it_stands_in_the_file_and_no_other()
    {
        var file = Path.GetTempFileName();
        try
        {
            // As the public list is: ascending, each with how often it was seen, lines of different lengths.
            var known = Enumerable.Range(0, 1000).Select(number => $"password {number}").ToList();
            File.WriteAllLines(file, known.Select(Digest).Order(StringComparer.Ordinal).Select((digest, index) => $"{digest}:{Math.Pow(7, index % 12).ToString("F0", CultureInfo.InvariantCulture)}"));
            using var list = new BreachedPasswords(file);
            Assert.All(known, password => Assert.True(list.Holds(password)));
            Assert.All(Enumerable.Range(1000, 1000), number => Assert.False(list.Holds($"password {number}")));

            File.WriteAllText(file, "");
            using var empty = new BreachedPasswords(file);
            Assert.False(empty.Holds("password 1"));
            File.WriteAllText(file, Digest("the only one"));
            using var one = new BreachedPasswords(file);
            Assert.True(one.Holds("the only one"));
            Assert.False(one.Holds("another"));
        }
        finally
        {
            File.Delete(file);
        }

#pragma warning disable CA5350 // The form of the public list.
        static string Digest(string password) => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password)));
#pragma warning restore CA5350
    }
}
