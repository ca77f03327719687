using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Protocol.Tokens;
using Xunit;

namespace MissionControl.Trust.Tests;

public sealed class TokenScannerTests
{
    // Pieces of tokens: most of what they make is almost one.
    private static readonly Arbitrary<string> Texts = Gen.OneOf(
        Gen.Elements("mc", "mca_", "mcc_", "mce_0123456789ab_", "mcc_0123456789ab_", "mcx_", "_", " ", "é", "mca", "\n", "0123456789ABCDEFGHIJ", "0123456789ABCDEFGHI"),
        Gen.Constant(0).Select(_ => TokenText.New('a', out var _, out var _)),
        Gen.Choose(0, 60).Select(length => SealedToken.Format('c', new byte[length]))).ArrayOf().Select(string.Concat).ToArbitrary();

    [Fact]
    public void Kinds_are_those_that_can_be_made() => Assert.Equal((TokenText.Kinds + SealedToken.Kinds).Order(), TokenKind.All.Select(kind => kind.Letter).Order());

    [Fact]
    public void What_is_found_is_exactly_what_has_the_form_and_the_checksum() => Prop.ForAll(Texts, text =>
    {
        var pattern = new Regex(string.Join('|', TokenKind.All.Select(kind => kind.Pattern)), RegexOptions.NonBacktracking);
        var expected = Enumerable.Range(0, text.Length).Select(at => pattern.Match(text, at) is { Success: true } match && match.Index == at && IsToken(match.Value) ? (at, match.Length) : default).Where(one => one != default);

        Assert.Equal(expected, All(text));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_cut_from_logs_is_what_the_form_says_and_whatever_looks_like_it() => Prop.ForAll(Texts, text =>
        Assert.Equal(Regex.Replace(text, "mc[eauwsc]_[0-9A-Za-z]{12}_[0-9A-Za-z]{20,}", match => $"{match.Value[..16]}_…"), TokenText.Redact(text))).QuickCheckThrowOnFailure();

    [Fact]
    public void The_longest_token_is_found_and_a_longer_text_is_none()
    {
        var longest = Enumerable.Range(1400, 200).Select(length => SealedToken.Format('c', new byte[length])).Last(token => token.Length <= TokenScanner.LongestToken);
        var longer = SealedToken.Format('c', new byte[1600]);

        Assert.Equal((1, longest.Length), Assert.Single(All($" {longest} ")));
        Assert.Empty(All($" {longer} "));
        Assert.True(SealedToken.TryParse(longest, 'c', out _));
        Assert.False(SealedToken.TryParse(longer, 'c', out _));
    }

    // Too short to be searched for, but one that is read.
    [Fact]
    public void A_sealed_token_without_enough_to_be_secret_is_not_found() => Assert.Empty(All(SealedToken.Format('c', new byte[4])));

    private static bool IsToken(string text) => text[2] == 'c' ? text.Length <= 2048 && TokenText.ChecksumFits(text) : TokenText.TryParse(text, out _, out _, out _);

    private static IEnumerable<(int Index, int Length)> All(string text)
    {
        var at = 0;
        while (TokenScanner.TryFind(text.AsSpan(at), out var index, out var length))
        {
            yield return (at + index, length);
            at += index + TokenScanner.LoggableLength;
        }
    }
}
