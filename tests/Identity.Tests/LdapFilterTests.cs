using System.Formats.Asn1;
using System.Text;
using MissionControl.Identity.Directories;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class LdapFilterTests
{
    [Theory]
    [InlineData("(cn=Babs Jensen)", "a311 0402636e 040b42616273204a656e73656e")]
    [InlineData("(!(cn=Tim))", "a20b a309 0402636e 040354696d")]
    [InlineData("(&(a=b)(c=d))", "a010 a306 040161 040162 a306 040163 040164")]
    [InlineData("(|(a>=b)(a<=b)(a~=b))", "a118 a506 040161 040162 a606 040161 040162 a806 040161 040162")]
    [InlineData("(seeAlso=)", "a30b 0407736565416c736f 0400")]
    [InlineData("(objectClass=*)", "870b 6f626a656374436c617373")]
    [InlineData("(o=univ*of*mich*)", "a415 04016f 3010 8004756e6976 81026f66 81046d696368")]
    [InlineData("(o=*mich)", "a40b 04016f 3006 82046d696368")]
    [InlineData("(cn=a\\2ab\\28)", "a30a 0402636e 0404612a6228")]
    [InlineData("(cn:caseExactMatch:=F)", "a917 810e 6361736545786163744d61746368 8202636e 830146")]
    [InlineData("(cn:=B)", "a907 8202636e 830142")]
    [InlineData("(o:dn:=A)", "a909 82016f 830141 8401ff")]
    [InlineData("(:1.2.3:=W)", "a90a 8105312e322e33 830157")]
    public void Filters_are_sent_as_RFC_4511_says(string text, string octets) => Assert.Equal(octets.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(Octets(LdapFilter.Parse(text))));

    [Theory]
    [InlineData("")]
    [InlineData("uid={0}")]
    [InlineData("(uid={0}")]
    [InlineData("(uid={0}))")]
    [InlineData("(uid={0})(a=b)")]
    [InlineData("(&)")]
    [InlineData("(!)")]
    [InlineData("(u id=x)")]
    [InlineData("(=x)")]
    [InlineData("(uid={2})")]
    [InlineData("(uid={)")]
    [InlineData("(uid=\\zz)")]
    [InlineData("(uid=\\2)")]
    [InlineData("(uid>=a*)")]
    [InlineData("(::=x)")]
    [InlineData("((uid=x))")]
    public void What_is_no_filter_is_refused(string text) => Assert.Throws<FormatException>(() => LdapFilter.Parse(text));

    [Fact]
    public void Nesting_and_length_are_bounded()
    {
        Assert.Throws<FormatException>(() => LdapFilter.Parse($"{string.Concat(Enumerable.Repeat("(!", 12))}(a=b){new string(')', 12)}"));
        Assert.Throws<FormatException>(() => LdapFilter.Parse($"(a={new string('b', 2000)})"));
    }

    [Fact]
    public void Values_are_octets_whatever_stands_in_them()
    {
        var random = new Random(4515);
        var (filter, letters) = (LdapFilter.Parse("(&(objectClass=person)(uid={0})(mail={1}@x))"), @"*()\&|!=<>~:/,+""#; {0}{1}" + "\0ü\u202Eg");
        for (var i = 0; i < 500; i++)
        {
            var name = new string([.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => letters[random.Next(letters.Length)])]);
            var reader = new AsnReader(Octets(filter.With(name, "second")), AsnEncodingRules.BER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true));
            reader.ReadEncodedValue();
            var item = reader.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true));
            Assert.Equal(("uid", name), (Encoding.UTF8.GetString(item.ReadOctetString()), Encoding.UTF8.GetString(item.ReadOctetString())));
            item = reader.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true));
            Assert.Equal(("mail", "second@x"), (Encoding.UTF8.GetString(item.ReadOctetString()), Encoding.UTF8.GetString(item.ReadOctetString())));
            Assert.False(reader.HasData);
        }
    }

    [Theory]
    [InlineData("cn=admins, ou=groups,dc=x", "CN=Admins,OU=groups,DC=x", true)]
    [InlineData("cn=admins,ou=groups", "cn=admins,ou=other", false)]
    [InlineData(@"cn=a\, b,ou=x", @"cn=a\,b,ou=x", false)]
    [InlineData(@"cn=a\\, ou=x", @"cn=a\\,ou=x", true)]
    [InlineData(@"cn=a\,ou=x", "cn=a,ou=x", false)]
    [InlineData("cn=ad mins,ou=x", "cn=admins,ou=x", false)]
    [InlineData("Admins ", "admins", true)]
    public void Groups_are_compared_as_directories_compare_them(string one, string another, bool isSame) => Assert.Equal(isSame, DirectoryNames.KeyOfGroup(one) == DirectoryNames.KeyOfGroup(another));

    private static byte[] Octets(LdapFilter filter)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        filter.Write(writer);
        return writer.Encode();
    }
}
