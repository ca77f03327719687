using System.Net.Mail;

namespace MissionControl.Platform.Http;

/// <summary>What somebody typed as a mail address, judged alike by every role.</summary>
public static class MailAddresses
{
    /// <summary>The longest that SMTP carries (RFC 5321, 4.5.3.1.3).</summary>
    private const int Longest = 254;

    /// <summary>Whether a text is one plain address in ASCII at a host name: no display name, no list, no address literal.</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= Longest && text.All(character => character is > ' ' and < '\u007f')
            && MailAddress.TryCreate(text, out var address) && address.Address == text && Uri.CheckHostName(address.Host) == UriHostNameType.Dns;
    }
}
