using System.Buffers;
using System.Text;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Tests;

/// <summary>A log and its keys: whoever has them can write it as it should be, or anew and otherwise, and sign that.</summary>
internal sealed class TestLog : IDisposable
{
    public const string Name = "log.example/acme";

    private readonly NoteSigner key;
    private readonly NoteSigner[] witnesses = [.. Enumerable.Range(1, 2).Select(i => NoteSigner.FromSeed($"witness{i}.example", NoteKeyType.Cosignature, Ed25519Key.NewSeed()))];

    private TestLog(string name, byte[]? seed) => key = NoteSigner.FromSeed(name, NoteKeyType.Ed25519, seed ?? Ed25519Key.NewSeed());

    /// <summary>What stands in it. Somebody with the key may change it, and write all of it anew.</summary>
    public List<byte[]> Entries { get; set; } = [];

    public string Key => $"log {key.Key}\n";

    /// <summary>What it says of itself, signed.</summary>
    public SignedNote Signed
    {
        get
        {
            var text = Head.ToString();
            return new SignedNote(text, [key.Sign(Encoding.UTF8.GetBytes(text))]);
        }
    }

    public Checkpoint Head
    {
        get
        {
            var range = new CompactRange();
            Entries.ForEach(entry => range.Append(TreeHash.OfLeaf(entry)));
            return new Checkpoint(key.Key.Name, Entries.Count, range.Root);
        }
    }

    public static TestLog Of(int size, string name = Name, byte[]? seed = null)
    {
        var log = new TestLog(name, seed);
        log.Grow(size);
        return log;
    }

    public void Grow(int size)
    {
        while (Entries.Count < size)
        {
            Entries.Add(Encoding.UTF8.GetBytes($"entry {Entries.Count}: {new string('.', Entries.Count % 90)}"));
        }
    }

    public string Policy(string quorum = "none") => $"{Key}witness w1 {witnesses[0].Key}\nwitness w2 {witnesses[1].Key}\ngroup both all w1 w2\nquorum {quorum}\n";

    /// <summary>Lays it out as C2SP tlog-tiles says, in place of what was there, and signs it; each time given is that of a witness.</summary>
    public void Write(string directory, params DateTimeOffset[] seen)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }

        var levels = new List<List<TreeHash>> { Entries.ConvertAll(entry => TreeHash.OfLeaf(entry)) };
        while (levels[^1].Count >= TileId.FullWidth)
        {
            levels.Add([.. levels[^1].Chunk(TileId.FullWidth).Where(chunk => chunk.Length == TileId.FullWidth).Select(RootOf)]);
        }

        foreach (var id in TileId.AllOf(Entries.Count))
        {
            var from = (int)id.Index * TileId.FullWidth;
            Put(directory, id.ToString(), id.Level == TileId.Entries ? Bundle(Entries.GetRange(from, id.Width)) : [.. levels[id.Level].GetRange(from, id.Width).SelectMany(hash => hash.Span.ToArray())]);
        }

        var text = Head.ToString();
        var bytes = Encoding.UTF8.GetBytes(text);
        Put(directory, "checkpoint", new SignedNote(text, [key.Sign(bytes), .. seen.Select((time, i) => witnesses[i].Sign(bytes, time.ToUnixTimeSeconds()))]).ToBytes());
    }

    public void Dispose()
    {
        key.Dispose();
        Array.ForEach(witnesses, witness => witness.Dispose());
    }

    private static void Put(string directory, string path, byte[] content)
    {
        var file = Path.Combine(directory, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    private static byte[] Bundle(List<byte[]> entries)
    {
        var bundle = new ArrayBufferWriter<byte>();
        entries.ForEach(entry => EntryBundle.Write(bundle, entry));
        return bundle.WrittenSpan.ToArray();
    }

    private static TreeHash RootOf(TreeHash[] hashes)
    {
        var whole = new CompactRange();
        Array.ForEach(hashes, hash => whole.Append(hash));
        return whole.Root;
    }
}
