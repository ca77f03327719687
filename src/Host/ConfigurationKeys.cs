using System.Text.Json;

namespace MissionControl.Host;

/// <summary>Every configuration key there is; a key that nobody reads is a mistake, not a wish.</summary>
internal static class ConfigurationKeys
{
    public static IReadOnlyDictionary<string, string> Known { get; } = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["AllowedHosts"] = "Host names that listeners answer to, separated by semicolons.",
        ["Api:RequestsPerMinute"] = "Requests of one caller to the API and the portal in each process, 60 to 10,000,000; default 1200.",
        ["Audit:BundleEntries"] = "How many entries of an audit log are in one bundle at most, 256 to 1,000,000; default 100,000.",
        ["Audit:Epoch"] = "How often the heads of all audit logs are bound together in the anchor, 00:00:01 to 01:00:00; default 00:01:00.",
        ["Database:Provider"] = "sqlite (default, embedded shape), postgresql or sqlserver (distributed shape).",
        ["Database:ConnectionString"] = "Connection string of the database server.",
        ["Database:ConnectionStringFile"] = "File that holds the connection string, as containers hand out secrets.",
        ["RabbitMq:Address"] = "amqp://host:5672/vhost or amqps://host:5671/vhost, without user and password; makes this process part of the distributed shape.",
        ["RabbitMq:User"] = "User of this role at the broker.",
        ["RabbitMq:Password"] = "Its password.",
        ["RabbitMq:PasswordFile"] = "File that holds the password.",
        ["Edge:Roles"] = "Distributed shape, role portal: for each other role the list of its addresses, as Edge:Roles:fleet = [\"https://fleet:8444\"].",
        ["Edge:CaFile"] = "PEM of the CA that signed the roles' certificates; default keys/ca.pem in the data directory, as admin keys make hands it out.",
        ["Network:PublicProxies"] = "CIDR networks of proxies whose X-Forwarded-For is believed at the public doors, the portal's and call-home's. Default: none.",
        ["Network:StaffNetworks"] = "CIDR networks that the vendor's staff works from: pages and API refuse staff, people and tokens, from elsewhere. Default: any.",
        ["Network:TrustedProxies"] = "CIDR networks whose X-Forwarded-For is believed at the internal listener; the roles name the portal's. Default: none.",
        ["Tls:CertificateFile"] = "PEM certificate chain instead of the one made at the first start, or in the distributed shape of keys/server.pem in the data directory, which admin keys make hands out.",
        ["Tls:KeyFile"] = "PEM private key of that certificate.",
        ["Tls:MinimumVersion"] = "1.2 (default) or 1.3.",
        ["Tls:CipherSuites"] = "List of TLS cipher suites; default: the platform's.",
        ["Logging"] = "Log levels by category.",
        ["Telemetry:OtlpEndpoint"] = "Where to send metrics and traces by OTLP over gRPC, for example http://localhost:4317; off by default. Headers and the like: the OTEL_EXPORTER_OTLP_ variables.",
        ["CallHome:IntervalSeconds"] = "Check-in interval handed to clusters, 30 to 3600; default 60.",
        ["CallHome:BundleDays"] = "Within how many days a site without a connection is expected to hand in its next bundle, 1 to 31; default 7.",
        ["CallHome:EnrollmentsPerSecond"] = "Enrolments accepted per second; default 10.",
        ["CallHome:ItemsAtOnce"] = "Items and check-ins of one cluster that may come to one process at once, beyond which ItemsPerSecond holds; default 25000.",
        ["CallHome:ItemsPerSecond"] = "Items and check-ins of one cluster that each process takes per second in the long run; over it 429; default 5.",
        ["CallHome:JitterPercent"] = "Spread of the interval in percent, 0 to 50; default 10.",
        ["CallHome:SealingKeyFile"] = "32 bytes that seal access tokens, shared by all callhome replicas; default keys/token-sealing.key in the data directory.",
        ["CallHome:AnchorsFile"] = "Anchor document signed by the offline root; default keys/anchors.dsse in the data directory.",
        ["Audit:RetentionDays"] = "How many days old entries of the audit logs are at least before missioncontrol admin audit prune may take them away, 30 to 36500; everybody is told in the log of the fleet. Without it, the default, all are kept.",
        ["Audit:GapAfter"] = "How long the number of an audit event is missing before the log of the fleet says so (audit.gap), 00:00:30 to 1.00:00:00; default 00:05:00.",
        ["Audit:GuardPath"] = "File that remembers, outside the database, how far each audit log was signed; its directory must outlast the process. Default: audit/heads in the data directory.",
        ["Audit:ReconcileAfter"] = "How long what stands in a cluster's own log or in its customer's alone may be missing on the other side before the customer's says so (audit.entry-unmatched), 00:01:00 to 1.00:00:00; default 01:00:00.",
        ["Audit:Strict"] = "false: entries are appended and signed although the database would let them be changed (event 6008). Default true.",
        ["Audit:WitnessQuorum"] = "How many witnesses, clusters and those of Audit:Witnesses together, are to see the anchor in every epoch, 1 to 20; default 3. Where there are fewer, as many as there are.",
        ["Audit:Witnesses"] = "Witnesses besides the clusters that are shown the anchor (C2SP tlog-witness), a list of at most 10 {Vkey, Url}: the key (name+id+key) and the https address in front of /add-checkpoint. Default: none.",
        ["Audit:AllowedNetworks"] = "Networks (CIDR) besides the public internet in which these witnesses may be. Default: none.",
        ["Audit:CaFile"] = "PEM of certificate authorities that are trusted besides the system's when a witness is asked.",
        ["Billing:IssuerName"] = "Who bills, as the FOCUS exports name issuer, provider and publisher; default Mission Control.",
        ["Billing:ServiceName"] = "What is billed, as the FOCUS exports name the service; default Mission Control.",
        ["AccessTokens:Issuer"] = "Another issuer of OAuth access tokens in place of ours, exactly as its discovery document writes it; every role reads its keys there. Default: ours.",
        ["AccessTokens:Audience"] = "What its tokens name as their audience when they are for this installation.",
        ["AccessTokens:ScopeClaim"] = "The claim that holds the scopes. Default: scope.",
        ["AccessTokens:ScopePrefix"] = "Stands before our scopes in that claim, such as mc.; what does not begin with it is no scope of ours. Default: nothing.",
        ["AccessTokens:CustomerClaim"] = "The claim that holds the id of the customer that a token is bound to; a token without it is refused. Default: none, all its tokens are the vendor's.",
        ["AccessTokens:AllowedNetworks"] = "Networks (CIDR) besides the public internet in which that issuer may be. Default: none.",
        ["AccessTokens:CaFile"] = "PEM of certificate authorities that are trusted besides the system's, to speak to it.",
        ["Identity:PortalAddress"] = "Where people open the portal, such as https://control.example.com; invitations name it, and it is the issuer of OAuth access tokens.",
        ["Identity:PasskeyDomain"] = "The domain that passkeys belong to (WebAuthn: relying party id); whoever changes it makes all of them worth nothing. Default: the host of Identity:PortalAddress, or localhost.",
        ["Identity:PasskeyOrigins"] = "Pages that may ask for passkeys, each as https://control.example.com within that domain. Default: that of Identity:PortalAddress.",
        ["Identity:StepUpByCode"] = "true: what an authenticator shows confirms what matters most, too; so in a demo. Default false: passkeys only.",
        ["Identity:StepUpCoolDown"] = "So long after it was added a passkey or authenticator confirms nothing; 30 days at most. Default 1.00:00:00.",
        ["Identity:BreachedPasswordsFile"] = "Passwords that nobody may choose: SHA-1 in capital hexadecimal, one a line in ascending order, what follows a colon is ignored (the form of Have I Been Pwned). Default: none.",
        ["Identity:KeepBootstrapToken"] = "true: the token of the first start stays good for the API when the first administrator has signed in; so in a demo. Refused in the distributed shape and while a listener is not on loopback. Default false.",
        ["Identity:Providers"] = "Providers that sign staff in, a list of {Id, Name, Kind: openid or saml, Issuer, ClientId, ClientSecretFile, Scopes, GroupsClaim, Roles: {group: role}, RequiredAcr, RequiredAmr}, of SAML also {MetadataFile, or SignInAddress and CertificateFile, SubjectAttribute}; docs/federation.md. Needs Identity:PortalAddress. Default: none.",
        ["Identity:Directories"] = "Directories that sign staff in by LDAP, a list of {Id, Name, Server, CaFile, BindDn, BindPasswordFile, SearchBase, UserFilter, NameAttribute, LoginAttribute, MailAttribute, IdAttribute, GroupBase, GroupFilter, GroupNameAttribute, GroupNesting, Roles: {group: role}, Timeout}; docs/federation.md. Default: none.",
        ["Identity:AllowedNetworks"] = "CIDR networks besides the public internet in which the providers of staff may be. Default: none.",
        ["Identity:CustomerNetworks"] = "CIDR networks besides the public internet in which customers' providers may be; a customer can make this server ask whatever is there. Default: none.",
        ["Identity:MostFederatedPeople"] = "People whom the providers of one customer may make here, 1 to 1000000; nobody new comes in beyond it. Default 10000.",
        ["Identity:CaFile"] = "PEM of certificate authorities that are trusted besides the system's when providers are asked.",
        ["Identity:Staff:Idle"] = "A session of the vendor's staff ends when nobody did anything for so long; default 00:30:00.",
        ["Identity:Staff:Longest"] = "It ends so long after sign-in in any case; default 12:00:00.",
        ["Identity:Customers:Idle"] = "The same of customers' users; default 02:00:00.",
        ["Identity:Customers:Longest"] = "The same of customers' users; default 1.00:00:00.",
        ["Identity:Leaks:GitHubKeysUrl"] = "Where the keys are published that GitHub's secret scanning signs by; default https://api.github.com/meta/public_keys/secret_scanning. Empty: its reports are not taken.",
        ["Identity:Leaks:GitLabTokenFile"] = "File with the secret that a GitLab sends with what its secret detection found, at least 20 characters. Default: none, such reports are not taken.",
        ["Notifications:Smtp:Host"] = "The mail server. Without one mails wait, and fail after a day.",
        ["Notifications:Smtp:Port"] = "Its port; default 587.",
        ["Notifications:Smtp:Security"] = "starttls (default) or tls; without TLS nothing is sent.",
        ["Notifications:Smtp:User"] = "User at the mail server; default none.",
        ["Notifications:Smtp:Password"] = "Its password.",
        ["Notifications:Smtp:PasswordFile"] = "File that holds the password.",
        ["Notifications:Smtp:From"] = "The address that mails come from; needed with a mail server.",
        ["Notifications:AllowedNetworks"] = "CIDR networks besides the public internet to which webhooks and syslog may go. Default: none.",
        ["Notifications:CaFile"] = "PEM of certificate authorities that mail, webhooks and syslog trust besides the system's.",
        ["Retention"] = "How long records are kept, by class, for example Retention:fleet.event = 200d; classes and bounds: docs/api/retention.md.",
        ["Demo:Simulator"] = "Path of mc-simulator, for --demo.",
    };

    /// <summary>
    /// The keys whose values may be shown to others, as in a support bundle. Closed unless it stands here: no secret, no user's name, no
    /// mail address, and nothing of which a part could be one. Of a file it is the path.
    /// </summary>
    public static IReadOnlySet<string> Shown { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "AllowedHosts", "Api:RequestsPerMinute", "Audit:Epoch", "Database:Provider", "Database:ConnectionStringFile", "RabbitMq:Address", "RabbitMq:PasswordFile", "Edge:Roles", "Edge:CaFile",
        "Network:PublicProxies", "Network:StaffNetworks", "Network:TrustedProxies", "Tls:CertificateFile", "Tls:KeyFile", "Tls:MinimumVersion", "Tls:CipherSuites", "Logging", "Telemetry:OtlpEndpoint",
        "CallHome:IntervalSeconds", "CallHome:BundleDays", "CallHome:EnrollmentsPerSecond", "CallHome:ItemsAtOnce", "CallHome:ItemsPerSecond", "CallHome:JitterPercent", "CallHome:SealingKeyFile", "CallHome:AnchorsFile",
        "Audit:BundleEntries", "Audit:RetentionDays", "Audit:GapAfter", "Audit:GuardPath", "Audit:ReconcileAfter", "Audit:Strict", "Audit:WitnessQuorum", "Audit:Witnesses", "Audit:AllowedNetworks", "Audit:CaFile",
        "Billing:IssuerName", "Billing:ServiceName", "AccessTokens:Issuer", "AccessTokens:Audience", "AccessTokens:ScopeClaim", "AccessTokens:ScopePrefix", "AccessTokens:CustomerClaim", "AccessTokens:AllowedNetworks", "AccessTokens:CaFile",
        "Identity:PortalAddress", "Identity:PasskeyDomain", "Identity:StepUpByCode", "Identity:StepUpCoolDown", "Identity:BreachedPasswordsFile", "Identity:KeepBootstrapToken",
        "Identity:AllowedNetworks", "Identity:CustomerNetworks", "Identity:MostFederatedPeople", "Identity:CaFile", "Identity:Staff:Idle", "Identity:Staff:Longest", "Identity:Customers:Idle", "Identity:Customers:Longest",
        "Identity:Leaks:GitHubKeysUrl", "Identity:Leaks:GitLabTokenFile",
        "Notifications:Smtp:Host", "Notifications:Smtp:Port", "Notifications:Smtp:Security", "Notifications:Smtp:PasswordFile", "Notifications:AllowedNetworks", "Notifications:CaFile", "Retention", "Demo:Simulator",
    };

    public static IEnumerable<string> Unknown(JsonElement root) => Walk(root, "").Where(path => !IsKnown(path))
        .Select(path => $"Configuration key '{path}' is not known. Known keys: {string.Join(", ", Known.Keys)}.");

    public static bool IsKnown(string path) => IsOf(path, Known.Keys);

    public static bool IsShown(string path) => IsOf(path, Shown);

    private static bool IsOf(string path, IEnumerable<string> keys) => keys.Any(key => path.Equals(key, StringComparison.OrdinalIgnoreCase) || path.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Walk(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return [path];
        }

        return element.EnumerateObject().SelectMany(member => Walk(member.Value, path.Length == 0 ? member.Name : $"{path}:{member.Name}"));
    }
}
