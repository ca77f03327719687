using System.Diagnostics;
using System.Globalization;

namespace MissionControl.Testing;

/// <summary>
/// A real OpenLDAP server (Debian's slapd) for tests, on loopback and free ports, with a data directory of its own: one port in the
/// clear with StartTLS, one with TLS. It ends with this process however this process ends.
/// </summary>
public sealed class DirectoryServer : IAsyncDisposable
{
    public const string Suffix = "dc=vendor,dc=example";
    public const string People = $"ou=people,{Suffix}";
    public const string Groups = $"ou=groups,{Suffix}";

    /// <summary>Whom to search as.</summary>
    public const string Reader = $"cn=reader,{Suffix}";

    /// <summary>Its password.</summary>
    public const string ReaderPassword = "the reader's: ä b/c";

    /// <summary>What everybody's password is.</summary>
    public const string Password = "a password of the directory: ü";

    private const string RootPassword = "of the tests";

    // The shell holds the other end of a pipe: its end says that this process is gone, or done with the server.
    private const string Guard = """
        trap '' INT TERM
        "$1/slapd" -f "$1/slapd.conf" -h "$2" -d 0 </dev/null >"$1/log" 2>&1 &
        server=$!
        read -r _
        kill $server 2>/dev/null
        wait $server
        rm -rf "$1"
        """;

    private readonly string root = Directory.CreateTempSubdirectory("mc-slapd-").FullName;
    private readonly int port = Ports.Free();
    private readonly int securePort = Ports.Free();
    private Process? guard;

    private DirectoryServer()
    {
    }

    /// <summary>Where it speaks TLS from the first octet on.</summary>
    public string Secure => $"ldaps://localhost:{securePort}";

    /// <summary>The same by an address that its certificate does not name.</summary>
    public string Misnamed => $"ldaps://127.0.0.2:{securePort}";

    /// <summary>Where it speaks in the clear until StartTLS.</summary>
    public string Plain => $"ldap://localhost:{port}";

    /// <summary>The port in the clear.</summary>
    public int PlainPort => port;

    /// <summary>Starts one that holds nothing but its branches and its reader.</summary>
    public static async Task<DirectoryServer> StartAsync(TestAuthority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        var server = new DirectoryServer();

        if (!File.Exists("/usr/sbin/slapd"))
        {
            throw new InvalidOperationException("These tests need Debian's slapd and ldap-utils: apt-get install slapd ldap-utils, or run them by infra/dev test.");
        }

        // A copy: where AppArmor guards Debian's own, it may read no directory of ours.
        var program = Path.Combine(server.root, "slapd");
        File.Copy("/usr/sbin/slapd", program);
        Directory.CreateDirectory(Path.Combine(server.root, "db"));
        await File.WriteAllTextAsync(Path.Combine(server.root, "secret"), RootPassword);
        await File.WriteAllTextAsync(Path.Combine(server.root, "slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            include /etc/ldap/schema/nis.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload ppolicy
            pidfile {server.root}/pid
            argsfile {server.root}/args
            TLSCACertificateFile {authority.CaFile}
            TLSCertificateFile {authority.CertificateFile}
            TLSCertificateKeyFile {authority.KeyFile}
            sizelimit unlimited
            database mdb
            suffix "{Suffix}"
            rootdn "cn=root,{Suffix}"
            rootpw "{RootPassword}"
            directory {server.root}/db
            maxsize 104857600
            dbnosync
            index uid,member eq
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="{Reader}" read by anonymous auth by * none
            overlay ppolicy
            ppolicy_default "cn=policy,{Suffix}"

            """);
        server.guard = Process.Start(new ProcessStartInfo("sh") { RedirectStandardInput = true, ArgumentList = { "-c", Guard, "sh", server.root, $"ldap://127.0.0.1:{server.port}/ ldaps://127.0.0.1:{server.securePort}/ ldaps://127.0.0.2:{server.securePort}/" } })!;
        await Eventually.TrueAsync(async () => await server.TryAsync("ldapsearch", "", "-s", "base", "-b", "", "1.1") is null, "the directory answers");
        await server.AddAsync($"""
            dn: {Suffix}
            objectClass: dcObject
            objectClass: organization
            o: Vendor
            dc: vendor

            dn: {People}
            objectClass: organizationalUnit
            ou: people

            dn: {Groups}
            objectClass: organizationalUnit
            ou: groups

            dn: cn=policy,{Suffix}
            objectClass: device
            objectClass: pwdPolicy
            cn: policy
            pwdAttribute: userPassword
            pwdLockout: TRUE

            dn: {Reader}
            objectClass: organizationalRole
            objectClass: simpleSecurityObject
            cn: reader
            userPassword: {ReaderPassword}

            """);
        return server;
    }

    /// <summary>Adds somebody.</summary>
    /// <param name="uid">The name to sign in with.</param>
    /// <param name="more">Further lines.</param>
    /// <param name="below">The branch.</param>
    /// <returns>Its DN.</returns>
    public async Task<string> AddPersonAsync(string uid, string more = "", string below = People)
    {
        var dn = $"uid={uid},{below}";
        await AddAsync($"dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {Capital(uid)} of the directory\nsn: {uid}\nmail: {uid}@vendor.example\nuserPassword: {Password}\n{more}\n");
        return dn;
    }

    /// <summary>Adds a group.</summary>
    /// <returns>Its DN.</returns>
    public async Task<string> AddGroupAsync(string cn, params string[] members)
    {
        var dn = $"cn={cn},{Groups}";
        await AddAsync($"dn: {dn}\nobjectClass: groupOfNames\ncn: {cn}\n{string.Concat(members.DefaultIfEmpty(Reader).Select(member => $"member: {member}\n"))}\n");
        return dn;
    }

    /// <summary>Adds what an LDIF text holds.</summary>
    public Task AddAsync(string ldif) => DoAsync("ldapadd", ldif);

    /// <summary>Changes what an LDIF text says.</summary>
    public Task ChangeAsync(string ldif) => DoAsync("ldapmodify", ldif);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (guard is not null)
        {
            guard.StandardInput.Close();
            await guard.WaitForExitAsync();
            guard.Dispose();
        }
    }

    private static string Capital(string text) => char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..];

    private async Task DoAsync(string program, string ldif, params string[] arguments)
    {
        if (await TryAsync(program, ldif, arguments) is { } trouble)
        {
            throw new InvalidOperationException($"{program}: {trouble}");
        }
    }

    private async Task<string?> TryAsync(string program, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["LDAPNOINIT"] = "1" } };
        foreach (var argument in new[] { "-x", "-H", $"ldap://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}", "-D", $"cn=root,{Suffix}", "-y", Path.Combine(root, "secret") }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        var rest = process.StandardOutput.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        await rest;
        return process.ExitCode == 0 ? null : $"{process.ExitCode}: {await said} {(File.Exists(Path.Combine(root, "log")) ? await File.ReadAllTextAsync(Path.Combine(root, "log")) : "")}";
    }
}
