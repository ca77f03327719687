using System.Text;
using System.Xml;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>
/// Reads XML that a stranger wrote: UTF-8 whatever it declares, no document type and so no entity of its own, nothing fetched, bounded
/// in size, depth and what an element carries. Whitespace stays, since signatures cover it.
/// </summary>
internal static class StrictXml
{
    public const int MostBytes = 256 * 1024;
    private const int Deepest = 32;
    private const int MostAttributes = 64;

    // Canonical form repeats a namespace at each element that uses it: a long one would make gigabytes of a small document.
    private const int LongestNamespace = 200;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a message, which holds no comment and no processing instruction: both are a way to have a text read in two ways.</summary>
    /// <exception cref="ProviderException">It is not what it must be.</exception>
    public static XmlDocument ReadMessage(byte[] bytes) => Read(TextOf(bytes), isMessage: true);

    /// <summary>Reads a document that a person or an administrator's tool wrote; comments and processing instructions are left out.</summary>
    /// <exception cref="ProviderException">It is not what it must be.</exception>
    public static XmlDocument ReadDocument(string text) => text.Length > MostBytes ? throw TooLarge() : Read(text.TrimStart('\ufeff').Trim(), isMessage: false);

    private static string TextOf(byte[] bytes)
    {
        if (bytes.Length > MostBytes)
        {
            throw TooLarge();
        }

        try
        {
            return Utf8.GetString(bytes).TrimStart('\ufeff');
        }
        catch (DecoderFallbackException)
        {
            throw new ProviderException("not-utf8", "The XML is not UTF-8.");
        }
    }

    private static XmlDocument Read(string text, bool isMessage)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MostBytes,
            IgnoreComments = !isMessage,
            IgnoreProcessingInstructions = !isMessage,
            CloseInput = true,
        };
        try
        {
            // First without building anything: what is too deep is not walked by what follows, much of which calls itself.
            using (var reader = XmlReader.Create(new StringReader(text), settings))
            {
                while (reader.Read())
                {
                    Look(reader);
                }
            }

            var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
            using var again = XmlReader.Create(new StringReader(text), settings);
            document.Load(again);
            return document;
        }
        catch (XmlException exception)
        {
            throw new ProviderException("not-xml", $"The XML cannot be read (line {exception.LineNumber}): it is not well-formed, too large, or has a document type.");
        }
    }

    private static void Look(XmlReader reader)
    {
        if (reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
        {
            throw new ProviderException("comment", "The XML holds a comment or a processing instruction; a message needs none.");
        }

        if (reader.Depth > Deepest || reader.AttributeCount > MostAttributes)
        {
            throw new ProviderException("too-deep", $"The XML is deeper than {Deepest} elements, or an element has more than {MostAttributes} attributes.");
        }

        for (var more = reader.MoveToFirstAttribute(); more; more = reader.MoveToNextAttribute())
        {
            if (reader.NamespaceURI == SamlNames.Namespaces && reader.Value.Length + reader.LocalName.Length > LongestNamespace)
            {
                throw new ProviderException("namespace", $"The XML names a namespace of more than {LongestNamespace} letters.");
            }
        }

        reader.MoveToElement();
    }

    private static ProviderException TooLarge() => new("too-large", $"The XML is larger than {MostBytes / 1024} KiB.");
}
