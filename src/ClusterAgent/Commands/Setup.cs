using System.Net;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.ClusterAgent.Log;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using MissionControl.ClusterAgent.Sent;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.ClusterAgent.Witnesses;

namespace MissionControl.ClusterAgent.Commands;

/// <summary>Another agent works in the directory.</summary>
internal sealed class InUseException(string data) : Exception($"Another mc-agent works in {data}. Stop it first, or give another --data.");

/// <summary>The directory holds no enrolment.</summary>
internal sealed class NotEnrolledException() : Exception("This agent is not enrolled. Run mc-agent enroll first.");

/// <summary>An agent over its files.</summary>
internal sealed class Setup : IDisposable
{
    private readonly DiskSpool spool;
    private readonly HttpClient http;
    private readonly FileStream alone;
    private readonly SentLog sent;
    private readonly UsageRecorder? usage;

    /// <exception cref="InUseException">Another agent works there.</exception>
    /// <exception cref="SettingsException">The proxy's credentials cannot be read.</exception>
    public Setup(string data, AgentSettings settings, Uri server, string name)
    {
        Identity = new FileIdentity(data);
        alone = Alone(data);
        var time = TimeProvider.System;
        var reserve = new DiskReserve(data);
        spool = new DiskSpool(Path.Combine(data, "spool"));
        http = Transport.Create(server, settings.CaFile, settings.ProxyServer());
        sent = new SentLog(Path.Combine(data, "sent"), time, reserve);
        Client = new CallHomeClient(http, Identity, time, sent);
        Log = new CounterLog(Identity, data, time, reserve);
        Certificates = new CertificateFiles(settings.Certificates);
        Cluster = new LocalCluster(name, new LinuxMachine(time), Certificates, Product(settings, time), Masking.In(data, settings.Privacy), time);
        usage = Cluster.HasProduct ? new UsageRecorder(new DiskUsageStore(Path.Combine(data, "usage")), Cluster, Identity, spool) : null;
        License = new LicenseKeeper(data, Identity, time, usage?.ObservedAt);
        Agent = new Agent(Identity, spool, Cluster, Client, time, new Random(), usage, new Quarantine(Path.Combine(data, "quarantine")), reserve, Answers(data), settings.Offline, new WitnessBook(data), Log, License);
    }

    public FileIdentity Identity { get; }

    public CallHomeClient Client { get; }

    public LocalCluster Cluster { get; }

    public CertificateFiles Certificates { get; }

    public CounterLog Log { get; }

    public LicenseKeeper License { get; }

    public Agent Agent { get; }

    public Enroller Enroller => new(Identity, Cluster, Client, Log);

    /// <summary>An enrolled agent.</summary>
    /// <exception cref="NotEnrolledException">It is not enrolled.</exception>
    public static Setup Enrolled(string data, AgentSettings settings) => new(data, settings, Shared.EnrollmentOf(data).Server, "");

    /// <summary>Tells the product the licence, where the configuration wants that; null where it does not.</summary>
    /// <exception cref="SettingsException">The port cannot be had.</exception>
    public LicenseEndpoint? Tell(AgentSettings settings)
    {
        try
        {
            return settings.License.Port is { } port ? new LicenseEndpoint(port, License.Check) : null;
        }
        catch (HttpListenerException exception)
        {
            throw new SettingsException($"license.port {settings.License.Port} of 127.0.0.1 cannot be had: {exception.Message}");
        }
    }

    /// <summary>The answers that were carried to an agent.</summary>
    public static AnswerBox Answers(string data) => new(Path.Combine(data, "answers"));

    public void Dispose()
    {
        Cluster.Dispose();
        usage?.Dispose();
        http.Dispose();
        sent.Dispose();
        spool.Dispose();
        Identity.Dispose();
        alone.Dispose();
    }

    private static IProduct? Product(AgentSettings settings, TimeProvider time) => settings.Product switch
    {
        { Url: { } url } product => new HttpProduct(url, product.TokenFile, settings.CaFile),
        { DropDirectory: { } directory } => new DropDirectory(directory, time),
        _ => null,
    };

    /// <summary>Keeps other agents out of a directory: two over one would use numbers twice.</summary>
    /// <exception cref="InUseException">Another agent works there.</exception>
    public static FileStream Alone(string data)
    {
        try
        {
            return new FileStream(Path.Combine(data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (!DiskReserve.IsDiskFull(exception))
        {
            throw new InUseException(data);
        }
    }
}
