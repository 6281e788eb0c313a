using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.Tests.Formats.Cim;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// CIMs as standard sets, which no checksum protects. The parts are the number of the seed, the filesystem file, the metadata before
/// and behind the upcase table, and the object IDs; the table itself, which is most of the metadata, stays.
/// </summary>
internal abstract class CimHarness : FuzzHarness, IDisposable
{
    private readonly List<(StandardSet Set, byte[] Upcase)> _sound = [];

    public override int MaxLength => 16 << 10;

    public override bool HasOffsets => true;

    protected CimLab Lab { get; } = new();

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        var seeds = new List<byte[][]>();
        foreach (var content in Contents)
        {
            var set = StandardSet.Export(Lab, content);
            AsSeed(set);
            var (metadata, upcase) = (set.Metadata, set.UpcaseTable);
            var behind = upcase + UpcaseTable.SizeInBytes;
            seeds.Add([[(byte)_sound.Count], set.Filesystem.ToArray(), metadata[..upcase], metadata[behind..], set.ObjectIds.First().ToArray()]);
            _sound.Add((set, metadata[upcase..behind]));
        }

        return seeds;
    }

    public override bool IsMutable(int part) => part > 0;

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var (set, upcase) = _sound[parts[0][0]];
        return Run(set.With(parts[1], [.. parts[2], .. upcase, .. parts[3]], parts[4]));
    }

    public void Dispose() => Lab.Dispose();

    protected abstract IReadOnlyList<Action<CimWriter>> Contents { get; }

    protected abstract string Run(StandardSet set);

    /// <summary>What a harness needs to change in a set that the writer made.</summary>
    protected virtual void AsSeed(StandardSet set)
    {
    }

    protected static void Everything(CimWriter w)
    {
        byte[] link = [0x0c, 0, 0, 0xa0, 0, 0, 0, 0];
        w.File("a", new byte[5000], CimWriting.Metadata(0x80) with { SecurityDescriptor = new byte[20], ExtendedAttributes = new byte[9] });
        w.File("b", SeededContent.Bytes(1, 300));
        w.Stream("b", "s1", "one"u8);
        w.Stream("b", "s2", SeededContent.Bytes(2, 4097));
        w.Directory("d");
        w.File(@"d\x", "x");
        w.File(@"d\e\y", "y");
        w.Link(@"d\hard", "b");
        w.Empty("link", CimWriting.Metadata(0) with { Reparse = link });
        w.Empty("junction", CimWriting.Metadata(0x10) with { Reparse = link });
        w.MergeLink("merge", "target");
        w.Tombstone(@"d\gone");
        w.Opaque("o");
    }

    protected static void Small(CimWriter w)
    {
        w.Directory("d");
        w.File(@"d\a", "1");
        w.File(@"d\b", "2");
        w.Stream(@"d\b", "s", [1, 2, 3]);
        w.Link("c", @"d\a");
        w.Directory(@"d\e");
        w.File(@"d\e\f", "f");
    }
}

/// <summary>Walk, all buffers and streams, and a merge over another CIM.</summary>
internal sealed class CimReadHarness : CimHarness
{
    private OpenCim? _below;

    public override string Name => "cim";

    protected override IReadOnlyList<Action<CimWriter>> Contents => [Everything, Small];

    protected override string Run(StandardSet set)
    {
        _below ??= OpenCim.Open(Lab.Write("below", w =>
        {
            w.File(@"d\below", "1");
            w.File("target", "2");
        }), []);
        return set.ReadEverything(_below.Cim, Lab["merged"], out var refusal) ? "read" : throw new InvalidDataException(refusal);
    }
}

/// <summary>A CIM forked from a parent that may say anything.</summary>
internal sealed class CimForkHarness : CimHarness
{
    public override string Name => "fork";

    protected override IReadOnlyList<Action<CimWriter>> Contents => [Small, Everything];

    protected override string Run(StandardSet set)
    {
        using var below = new CimReader(StandardSet.CimName, set);
        using var handle = File.OpenHandle(Lab["fork"], FileMode.Create, FileAccess.ReadWrite);
        var blocks = new BlockFileWriter(handle);
        using var writer = CimWriter.Fork(blocks.BeginSet("f.cim"), "f.cim", below);
        writer.Tombstone(@"d\a");
        writer.File(@"d\new", "new");
        writer.MergeLink("link", @"d\b");
        writer.Opaque(@"d\e");
        writer.Tombstone("c");
        writer.Directory("D");
        writer.Commit();
        return $"forked {Magnitude(below.FileCount)}";
    }

    /// <summary>A block layer's marks are what makes it no parent.</summary>
    protected override void AsSeed(StandardSet set)
    {
        for (uint id = 1; id <= set.FileCount; id++)
        {
            set.U16(set.Record(id), 0);
        }
    }
}

/// <summary>A CIM on disk, opened as a user's file: listed, counted, verified, compared, extracted, exported and packed.</summary>
internal sealed class CimToolsHarness : CimHarness
{
    public override string Name => "cim-tools";

    protected override IReadOnlyList<Action<CimWriter>> Contents => [Everything, Small];

    /// <summary>Extraction meets the host's file system, which refuses some names itself.</summary>
    public override bool IsRefusal(Exception error) => error is InvalidDataException or ConversionException or IOException;

    protected override string Run(StandardSet set)
    {
        var folder = Lab.Folder.Sub("tools");
        try
        {
            set.SaveTo(folder);
            using var image = OpenCim.Open(Path.Combine(folder, StandardSet.CimName), []);
            var listing = new CimListing(image.Cim);
            var lines = listing.Entries(CimPath.Root, recursive: true).Sum(e => listing.Line(e.Path, e.Entry).Length);
            var ends = new List<string> { $"{Magnitude(lines)}" };
            Action[] tools =
            [
                () => CimStatistics.Count(image.Cim, default),
                () => image.Verify(null, null, default),
                () => Differs(image.Cim),
                () => image.ExportTo(Path.Combine(folder, "export"), default),
                () => image.PackInto(Path.Combine(folder, "packed"), new BlockCimOptions(), default),
                () => Extract(image, folder),
            ];
            foreach (var tool in tools)
            {
                ends.Add(End(tool));
            }

            return string.Join('|', ends);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A tool's refusal is no reason not to try the next.</summary>
    private string End(Action tool)
    {
        try
        {
            tool();
            return "done";
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return FuzzLoop.Kind(e);
        }
    }

    private static void Differs(CimReader cim)
    {
        if (CimComparison.Compare(cim, cim).Any())
        {
            throw new InvalidOperationException("a CIM differs from itself");
        }
    }

    private static void Extract(OpenCim image, string folder)
    {
        // Sparse streams may say they are as long as they like: what is extracted is bounded by what the disk holds, not here.
        if (CimStatistics.Count(image.Cim, default).Content.Total > 1 << 20)
        {
            return;
        }

        var target = Directory.CreateDirectory(Path.Combine(folder, "outer"));
        CimExtraction.Extract(image.Cim, Path.Combine(target.FullName, "inner"), default);
        if (target.GetFileSystemInfos().Length != 1)
        {
            throw new InvalidOperationException("a CIM was extracted to outside its folder");
        }
    }
}
