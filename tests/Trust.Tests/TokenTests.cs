using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Protocol.Tokens;
using Xunit;

namespace MissionControl.Trust.Tests;

public sealed class TokenTests
{
    [Fact]
    public void A_token_has_66_characters_fits_the_published_pattern_and_parses_to_what_is_stored()
    {
        foreach (var kind in TokenText.Kinds)
        {
            var text = TokenText.New(kind, out var id, out var sha256);

            Assert.Equal(TokenText.Length, text.Length);
            Assert.Matches(new Regex($"^{TokenKind.Of(kind).Pattern}$"), text);
            Assert.True(TokenText.TryParse(text, out var parsedKind, out var parsedId, out var parsedSha256));
            Assert.Equal((kind, id), (parsedKind, parsedId));
            Assert.Equal(sha256, parsedSha256);
        }
    }

    [Fact]
    public void No_token_with_one_changed_character_parses()
    {
        var text = TokenText.New('a', out _, out _);
        for (var i = 0; i < text.Length; i++)
        {
            foreach (var c in "0Aa_-é")
            {
                var changed = text[..i] + c + text[(i + 1)..];
                Assert.Equal(changed == text, TokenText.TryParse(changed, out _, out _, out _));
            }
        }
    }

    [Fact]
    public void Nothing_random_parses_or_throws() => Prop.ForAll(ArbMap.Default.ArbFor<string>(), text => !TokenText.TryParse(text, out _, out _, out _) && !SealedToken.TryParse(text, 'c', out _)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_sealed_token_gives_back_its_body_of_any_length() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), body =>
    {
        var text = SealedToken.Format('c', body);
        Assert.Equal(body.Length > 0, SealedToken.TryParse(text, 'c', out var read));
        Assert.Equal(body, read);
        Assert.False(SealedToken.TryParse(text, 'a', out _));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_checksum_is_the_crc32_of_all_before_it_in_base62()
    {
        // Public vector of the format this one follows: crc32("qkJaB6MffYVzZXWqmcoF49yrUxP3wf") = 323314029 = 0LsakP.
        Assert.Equal(323314029u, Crc32.Of("qkJaB6MffYVzZXWqmcoF49yrUxP3wf"));
        Span<char> text = stackalloc char[6];
        Base62.Write(323314029, text);
        Assert.Equal("0LsakP", text.ToString());
    }

    [Fact]
    public void A_log_line_keeps_only_the_loggable_part()
    {
        var text = TokenText.New('e', out var id, out _);
        var line = $"enrol with {text}, then call";

        Assert.Equal($"enrol with mce_{id}_…, then call", TokenText.Redact(line));
        Assert.Equal("mca_abc is no token", TokenText.Redact("mca_abc is no token"));
    }
}
