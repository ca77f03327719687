using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Bundle;

/// <summary>
/// A log in one file: a ZIP of what C2SP tlog-tiles has in a directory, so that any tool reads it once it is unpacked. Of a part of a log
/// the tiles beside it come along that lead to the root that was signed. It is written as it is read, tile by tile, and everything in it
/// has its place: the same part, bound by the same epoch and seen by the same witnesses, is the same bytes.
/// </summary>
/// <param name="db">Where it is read from.</param>
/// <param name="log">Which log.</param>
/// <param name="keys">The keys that have signed the checkpoint.</param>
/// <param name="note">The checkpoint.</param>
/// <param name="first">The first entry, a multiple of 256.</param>
/// <param name="size">How many entries the checkpoint says.</param>
/// <param name="bound">What binds the log; null: nothing that can be shown of this part.</param>
internal sealed class LogBundle(ControlPlaneDbContext db, Log log, IReadOnlyList<string> keys, SignedNote note, long first, long size, BoundLog? bound)
{
    /// <summary>Bytes that its entries have together at most.</summary>
    public const long MostBytes = 512L << 20;

    /// <summary>What the file claims of how it is to be verified.</summary>
    public required string Policy { get; init; }

    /// <summary>An earlier checkpoint that enough witnesses have seen; null: there is none.</summary>
    public SignedNote? Witnessed { get; init; }

    /// <summary>The first entry that the log has.</summary>
    public long Minimum { get; init; }

    // The first day that a ZIP can name: when it was made is nobody's evidence, and would make two of one part differ.
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes it. Where that ends early there is no end in the file, and so no file.</summary>
    public async Task WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var stage = new Stage();
        using (var zip = new ZipArchive(stage, ZipArchiveMode.Create, leaveOpen: true))
        {
            await AddAllAsync(new Target(zip, stage, output), cancellationToken);
        }

        await stage.MoveAsync(output, cancellationToken);
    }

    private async Task AddAllAsync(Target target, CancellationToken cancellationToken)
    {
        await AddAsync(target, "README.txt", Readme(), cancellationToken);
        await AddAsync(target, "log.vkey", string.Concat(keys.Select(key => $"{key}\n")), cancellationToken);
        await AddAsync(target, "policy", Policy, cancellationToken);
        await AddAsync(target, "checkpoint", note.ToString(), cancellationToken);
        if (Witnessed is not null)
        {
            await AddAsync(target, "checkpoint.witnessed", Witnessed.ToString(), cancellationToken);
        }

        await AddTilesAsync(target, "", log.Id, Own(), cancellationToken);
        if (bound is not null)
        {
            var index = bound.Own.Epoch - 1;
            await AddAsync(target, "slot-proof", bound.Own.ToString(), cancellationToken);
            await AddAsync(target, "anchor/checkpoint", bound.AnchorNote.ToString(), cancellationToken);
            await AddTilesAsync(target, "anchor/", AnchorLog.Id, ProofPlan.Inclusion(index, bound.AnchorSize).Tiles.Append(TileId.At(TileId.Entries, index / TileId.FullWidth, bound.AnchorSize)), cancellationToken);
            await AddAsync(target, "fleet/checkpoint", bound.FleetNote.ToString(), cancellationToken);
            await AddAsync(target, "fleet/slot-proof", bound.Fleet.ToString(), cancellationToken);
            await AddTilesAsync(target, "fleet/", BoundLog.FleetId, TileId.AllOf(bound.FleetSize), cancellationToken);
        }
    }

    // Those of the part, and what proves that it goes on from what is bound and from what was seen.
    private IEnumerable<TileId> Own() => LogWalk.TilesOf(first, size).Concat(LeadingFrom(bound?.Size)).Concat(LeadingFrom(Witnessed is null ? null : Checkpoint.Parse(Witnessed.Text).Size)).Distinct();

    private IEnumerable<TileId> LeadingFrom(long? earlier) => earlier is { } from ? ProofPlan.Consistency(from, size).Tiles : [];

    private async Task AddTilesAsync(Target target, string folder, Guid id, IEnumerable<TileId> tiles, CancellationToken cancellationToken)
    {
        foreach (var tile in tiles.OrderBy(tile => tile.Level).ThenBy(tile => tile.Index))
        {
            await AddAsync(target, $"{folder}{tile}", await TileReader.ReadAsync(db, id, tile, cancellationToken) ?? throw new InvalidOperationException($"{tile} of log {id} is not there."), cancellationToken);
        }
    }

    private static Task AddAsync(Target target, string name, string text, CancellationToken cancellationToken) => AddAsync(target, name, Encoding.UTF8.GetBytes(text), cancellationToken);

    private static async Task AddAsync(Target target, string name, byte[] content, CancellationToken cancellationToken)
    {
        var entry = target.Zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = NoTime;
        using (var stream = entry.Open())
        {
            stream.Write(content);
        }

        await target.Stage.MoveAsync(target.Output, cancellationToken);
    }

    private string Readme() => string.Create(CultureInfo.InvariantCulture, $"""
        An audit log, or a part of one, which can be verified without whoever keeps it.

          log      {log.Origin}
          entries  {first} to {size - 1}, of {size} that are signed
          pruned   {(Minimum == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"entries 0 to {Minimum - 1}, by the published term: the root proves their hashes, their text is gone"))}
          bound    {(bound is null ? "no: verify it with --no-anchor" : string.Create(CultureInfo.InvariantCulture, $"{bound.Size} entries, by epoch {bound.Own.Epoch} of the anchor"))}

        Take the key from where it was given to you, not from here: log.vkey and policy only say
        what this file claims. Whoever made the file could have made them, too.

        With mc, offline:

            mc audit verify THIS-FILE --policy YOUR-POLICY --state YOUR-STATE

        It ends with 0 when it is good, 2 when it is not what was signed, now or before, 3 when
        something is missing, and says which entry or tile it is.

        Without any program of ours. Unpacked, this is a log of C2SP tlog-tiles
        (https://c2sp.org/tlog-tiles):

          1. checkpoint is signed by the log's key (https://c2sp.org/signed-note, Ed25519) and
             says its name, how many entries it has, and the root of their tree in base64.
          2. tile/entries/ has the entries, 256 to a file, each behind its length in two bytes,
             big end first. SHA-256(0x00 || entry) is the hash at its place in tile/0/.
          3. 256 hashes of a tile, joined in pairs as SHA-256(0x01 || left || right), make one
             hash of the tile above: that of tile/L/N is hash N mod 256 of tile/L+1/(N / 256).
          4. The tree of all of them (RFC 6962, 2.1) has the root that was signed. Of what comes
             before the first entry here the tiles above have the hashes that it takes.

        slot-proof, anchor/ and fleet/ show that one public log, the anchor, binds this one, so
        that others are told the same of it. In the documentation: docs/audit-log.md, The anchor;
        the walk with commands: docs/verify-your-audit-log.md.

        An entry is JSON. Names and addresses are not in it: it has a commitment to each, and the
        values are kept beside the log, where they can be erased.

        """).Replace("\r\n", "\n", StringComparison.Ordinal);

    private sealed record Target(ZipArchive Zip, Stage Stage, Stream Output);

    /// <summary>Where the archive is written, a file of it at a time: its own streams write without waiting, which a response does not take.</summary>
    private sealed class Stage : Stream
    {
        private readonly ArrayBufferWriter<byte> written = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public async Task MoveAsync(Stream target, CancellationToken cancellationToken)
        {
            await target.WriteAsync(written.WrittenMemory, cancellationToken);
            written.ResetWrittenCount();
        }

        public override void Write(ReadOnlySpan<byte> buffer) => written.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => written.Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
