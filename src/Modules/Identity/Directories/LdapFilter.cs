using System.Formats.Asn1;
using System.Globalization;
using System.Text;

namespace MissionControl.Identity.Directories;

/// <summary>
/// A search filter as the configuration writes it (RFC 4515), with <c>{0}</c> and <c>{1}</c> where values belong. It is taken apart once;
/// values are put in when it is sent, as octets (RFC 4511, 4.5.1.7): no letter of theirs is ever read as syntax.
/// </summary>
internal abstract class LdapFilter
{
    private const int DeepestNesting = 10;
    private const int Longest = 2000;

    /// <summary>Reads a filter.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static LdapFilter Parse(string text)
    {
        if (text.Length > Longest)
        {
            throw new FormatException($"It is longer than {Longest} characters.");
        }

        var reader = new Reader(text.Trim());
        var filter = reader.Filter(0);
        return reader.IsAtEnd ? filter : throw new FormatException("Something follows its last bracket.");
    }

    /// <summary>Either of these.</summary>
    public static LdapFilter AnyOf(IReadOnlyList<LdapFilter> filters) => filters.Count == 1 ? filters[0] : new Combined(1, filters);

    /// <summary>The same with its values in place.</summary>
    public LdapFilter With(params string[] values) => new Filled(this, values);

    /// <summary>Whether a value goes where <c>{index}</c> stands.</summary>
    public abstract bool Holds(int index);

    public void Write(AsnWriter writer) => Write(writer, []);

    protected abstract void Write(AsnWriter writer, IReadOnlyList<string> values);

    private static Asn1Tag Tag(int number, bool isConstructed = false) => new(TagClass.ContextSpecific, number, isConstructed);

    /// <summary>Octets, and places of values between them.</summary>
    private sealed class Value(IReadOnlyList<(byte[] Octets, int Place)> parts)
    {
        public bool Holds(int index) => parts.Any(part => part.Place == index);

        public byte[] Fill(IReadOnlyList<string> values) => [.. parts.SelectMany(part => part.Place < 0 ? part.Octets : Encoding.UTF8.GetBytes(values[part.Place]))];
    }

    private sealed class Filled(LdapFilter filter, IReadOnlyList<string> own) : LdapFilter
    {
        public override bool Holds(int index) => false;

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values) => filter.Write(writer, own);
    }

    /// <summary>and (0), or (1), not (2).</summary>
    private sealed class Combined(int tag, IReadOnlyList<LdapFilter> filters) : LdapFilter
    {
        public override bool Holds(int index) => filters.Any(filter => filter.Holds(index));

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values)
        {
            using (writer.PushSequence(Tag(tag, isConstructed: true)))
            {
                foreach (var filter in filters)
                {
                    filter.Write(writer, values);
                }
            }
        }
    }

    /// <summary>equalityMatch (3), greaterOrEqual (5), lessOrEqual (6), approxMatch (8).</summary>
    private sealed class Compared(int tag, string attribute, Value value) : LdapFilter
    {
        public override bool Holds(int index) => value.Holds(index);

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values)
        {
            using (writer.PushSequence(Tag(tag, isConstructed: true)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                writer.WriteOctetString(value.Fill(values));
            }
        }
    }

    /// <summary>What stands between the stars of a pattern; the first and the last may be empty.</summary>
    private sealed class Pattern(string attribute, IReadOnlyList<Value?> pieces) : LdapFilter
    {
        public override bool Holds(int index) => pieces.Any(piece => piece?.Holds(index) == true);

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values)
        {
            using (writer.PushSequence(Tag(4, isConstructed: true)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                using (writer.PushSequence())
                {
                    foreach (var (i, piece) in pieces.Index())
                    {
                        if (piece is not null)
                        {
                            writer.WriteOctetString(piece.Fill(values), Tag(i == 0 ? 0 : i == pieces.Count - 1 ? 2 : 1));
                        }
                    }
                }
            }
        }
    }

    private sealed class Present(string attribute) : LdapFilter
    {
        public override bool Holds(int index) => false;

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values) => writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute), Tag(7));
    }

    /// <summary>By a rule, such as Active Directory's 1.2.840.113556.1.4.1941, which follows chains of groups.</summary>
    private sealed class Extensible(string attribute, bool withDn, string rule, Value value) : LdapFilter
    {
        public override bool Holds(int index) => value.Holds(index);

        protected override void Write(AsnWriter writer, IReadOnlyList<string> values)
        {
            using (writer.PushSequence(Tag(9, isConstructed: true)))
            {
                if (rule.Length > 0)
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(rule), Tag(1));
                }

                if (attribute.Length > 0)
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute), Tag(2));
                }

                writer.WriteOctetString(value.Fill(values), Tag(3));
                if (withDn)
                {
                    writer.WriteBoolean(true, Tag(4));
                }
            }
        }
    }

    private sealed class Reader(string text)
    {
        private int at;

        public bool IsAtEnd => at == text.Length;

        public LdapFilter Filter(int depth)
        {
            if (depth > DeepestNesting)
            {
                throw new FormatException($"It is nested deeper than {DeepestNesting}.");
            }

            Take('(');
            var filter = Peek() switch
            {
                '&' => Combine(0, depth),
                '|' => Combine(1, depth),
                '!' => Not(depth),
                _ => Item(),
            };
            Take(')');
            return filter;
        }

        private Combined Combine(int tag, int depth)
        {
            at++;
            List<LdapFilter> filters = [];
            while (Peek() == '(')
            {
                filters.Add(Filter(depth + 1));
            }

            return filters.Count > 0 ? new Combined(tag, filters) : throw new FormatException("& and | need a filter behind them.");
        }

        private Combined Not(int depth)
        {
            at++;
            return new Combined(2, [Filter(depth + 1)]);
        }

        private LdapFilter Item()
        {
            var end = text.IndexOfAny(['(', ')'], at);
            var sign = text.IndexOf('=', at);
            if (end < 0 || sign < 0 || sign > end)
            {
                throw new FormatException("A bracket holds no comparison such as uid={0}.");
            }

            var (left, right) = (text[at..sign], text[(sign + 1)..end]);
            at = end;
            if (left.EndsWith(':'))
            {
                return Extend(left[..^1], right);
            }

            var tag = left.Length == 0 ? 3 : left[^1] switch { '>' => 5, '<' => 6, '~' => 8, _ => 3 };
            var attribute = Attribute(tag == 3 ? left : left[..^1]);
            return tag != 3 || !right.Contains('*', StringComparison.Ordinal) ? new Compared(tag, attribute, ValueOf(right))
                : right == "*" ? new Present(attribute)
                : new Pattern(attribute, [.. right.Split('*').Select((piece, i) => piece.Length > 0 ? ValueOf(piece) : null)]);
        }

        private static Extensible Extend(string left, string right)
        {
            var words = left.Split(':');
            var withDn = words.Skip(1).Any(word => word.Equals("dn", StringComparison.OrdinalIgnoreCase));
            var rule = words.Skip(1).Where(word => !word.Equals("dn", StringComparison.OrdinalIgnoreCase)).ToList();
            if (rule.Count > 1 || (words[0].Length == 0 && rule.Count == 0))
            {
                throw new FormatException("A comparison by a rule is written as member:1.2.840.113556.1.4.1941:={0}.");
            }

            return new Extensible(words[0].Length > 0 ? Attribute(words[0]) : "", withDn, rule.Count > 0 ? Attribute(rule[0]) : "", ValueOf(right));
        }

        private static string Attribute(string text) => IsAttribute(text) ? text : throw new FormatException($"'{text}' is no attribute.");

        private static Value ValueOf(string text)
        {
            List<(byte[], int)> parts = [];
            var octets = new List<byte>();
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i] == '\\')
                {
                    if (i + 2 >= text.Length || !byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
                    {
                        throw new FormatException("A backslash needs two hexadecimal digits behind it.");
                    }

                    octets.Add(octet);
                    i += 2;
                }
                else if (text[i] == '{')
                {
                    if (i + 2 >= text.Length || text[i + 2] != '}' || text[i + 1] is not ('0' or '1'))
                    {
                        throw new FormatException("Values stand as {0} or {1}; another brace is written \\7b.");
                    }

                    parts.Add(([.. octets], -1));
                    parts.Add(([], text[i + 1] - '0'));
                    octets.Clear();
                    i += 2;
                }
                else if (text[i] is '*' or '\0')
                {
                    throw new FormatException("A star in a value is written \\2a.");
                }
                else
                {
                    var rune = char.IsSurrogatePair(text, i) ? 2 : 1;
                    octets.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, rune)));
                    i += rune - 1;
                }
            }

            parts.Add(([.. octets], -1));
            return new Value(parts);
        }

        private char Peek() => at < text.Length ? text[at] : throw new FormatException("A bracket is missing at its end.");

        private void Take(char letter)
        {
            if (Peek() != letter)
            {
                throw new FormatException($"'{letter}' is missing at character {at + 1}.");
            }

            at++;
        }
    }

    /// <summary>Whether a text names an attribute, by letters or by numbers, with options (RFC 4512, 2.5).</summary>
    public static bool IsAttribute(string text) => text.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or ';');
}
