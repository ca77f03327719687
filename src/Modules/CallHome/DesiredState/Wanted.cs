using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Enrollment;
using MissionControl.CallHome.Intake;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.DesiredState;

/// <summary>Adds to an acknowledgement what is wanted of its cluster: the next anchor document, and the desired state when the cluster holds another.</summary>
internal sealed class Wanted(Anchors anchors, IServiceScopeFactory scopes, TimeProvider time)
{
    private volatile Digested? last;

    public async Task AddAsync(CheckInResponse response, KnownCluster cluster, CheckInRequest request, CancellationToken cancellationToken)
    {
        if (request.AnchorsVersion > 0 && request.AnchorsVersion < anchors.Version)
        {
            response.Anchors = ByteString.CopyFrom(anchors.After(request.AnchorsVersion).Span);
        }

        var etag = ETag(cluster, request.Sections);
        if (request.DesiredEtag != etag)
        {
            response.Desired = await ReadAsync(cluster, etag, request.Sections, cancellationToken);
        }
    }

    // What the agent understands is part of it: after an upgrade the same state is another answer.
    private string ETag(KnownCluster cluster, IReadOnlyList<string> understood)
    {
        var state = string.Create(CultureInfo.InvariantCulture, $"d{cluster.DesiredRevision}-{cluster.DesiredChangedAt:x}");
        return understood.Count == 0 ? state : $"{state}-{DigestOf(understood)}";
    }

    // Agents of one version all understand the same, and each says so with every check-in.
    private string DigestOf(IReadOnlyList<string> understood)
    {
        if (last is { } known && known.Understood.SequenceEqual(understood, StringComparer.Ordinal))
        {
            return known.Digest;
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', understood.Order(StringComparer.Ordinal).Distinct()))).AsSpan(0, 4));
        last = new Digested([.. understood], digest);
        return digest;
    }

    private async Task<Protocol.CallHome.DesiredState> ReadAsync(KnownCluster cluster, string etag, IReadOnlyCollection<string> understood, CancellationToken cancellationToken)
    {
        var desired = new Protocol.CallHome.DesiredState { Etag = etag };
        if (cluster.DesiredRevision == 0)
        {
            return desired;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        var sections = await db.Set<DesiredSection>().AsNoTracking().Where(row => row.ClusterId == cluster.Id && (row.NotAfter == null || row.NotAfter > now)).ToListAsync(cancellationToken);
        desired.Sections.AddRange(sections.Where(row => understood.Count == 0 || understood.Contains(row.Section)).OrderBy(row => row.Section, StringComparer.Ordinal).Select(row => new Section
        {
            Name = row.Section,
            Version = row.Version,
            NotAfterMs = row.NotAfter?.ToUnixTimeMilliseconds() ?? 0,
            Body = ByteString.CopyFrom(row.Body),
        }));
        return desired;
    }

    private sealed record Digested(string[] Understood, string Digest);
}
