using System.Security.Cryptography;
using System.Text;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.TestKit;
using CimConvert.TestKit.Oracles.Cim;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>Makes block files in a folder of a test's own, and takes them apart again with the product's reader and without it.</summary>
internal sealed class CimLab : IDisposable
{
    private int _exports;

    public TempFolder Folder { get; } = new();

    public string this[string name] => Folder[name];

    /// <summary>Writes one CIM into a block file and gives the file's path.</summary>
    public string Write(string file, Action<CimWriter> build, bool seal = false, string name = "layer.cim") =>
        WriteBlocks(file, blocks => WriteSet(blocks, name, build), seal);

    public string WriteBlocks(string file, Action<BlockFileWriter> build, bool seal = false)
    {
        var path = Folder[file];
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        var blocks = new BlockFileWriter(handle);
        build(blocks);
        blocks.Complete(seal, hasTrailer: false, CancellationToken.None);
        return path;
    }

    public static void WriteSet(BlockFileWriter blocks, string name, Action<CimWriter> build)
    {
        using var writer = new CimWriter(blocks.BeginSet(name), name);
        build(writer);
        writer.Commit();
    }

    /// <summary>Merges block files, topmost first.</summary>
    public string Merge(string file, params IReadOnlyList<string> sources)
    {
        new ManagedBackend().Merge(Folder[file], "merged.cim", [.. sources.Select(s => new BlockCim(s, null))], new BlockCimOptions(), CancellationToken.None);
        return Folder[file];
    }

    /// <summary>Exports a block file's CIM into a new directory.</summary>
    public string Export(string blockFile, params IReadOnlyList<string> sources)
    {
        var directory = Folder[$"export{Interlocked.Increment(ref _exports)}"];
        using var image = OpenCim.Open(blockFile, sources);
        CimExport.Run(image, directory, CancellationToken.None);
        return directory;
    }

    /// <summary>Exports a CIM, and walks the standard set with the kit's walker alone.</summary>
    public WalkedCim Walk(string blockFile, params IReadOnlyList<string> sources)
    {
        var directory = Export(blockFile, sources);
        return CimWalker.Walk(directory, Path.GetFileName(Directory.EnumerateFiles(directory, "*.cim").Single()));
    }

    public void Dispose() => Folder.Dispose();
}

/// <summary>The writer's calls, as short as tests want them.</summary>
internal static class CimWriting
{
    public static CimFileMetadata Metadata(uint attributes, long size = 0, long time = 0) => new()
    {
        Attributes = attributes,
        Size = size,
        CreationTime = time,
        LastWriteTime = time,
        ChangeTime = time,
        LastAccessTime = time,
    };

    public static void File(this CimWriter writer, string path, ReadOnlySpan<byte> content, CimFileMetadata? metadata = null)
    {
        writer.CreateFile(CimPath.Parse(path), (metadata ?? Metadata(Win32Attributes.Normal)) with { Size = content.Length });
        writer.Write(content);
        writer.CloseStream();
    }

    public static void File(this CimWriter writer, string path, string content) => writer.File(path, Encoding.UTF8.GetBytes(content));

    public static void Directory(this CimWriter writer, string path, long time = 0) =>
        writer.Empty(path, Metadata(Win32Attributes.Directory, time: time));

    /// <summary>An entry without data.</summary>
    public static void Empty(this CimWriter writer, string path, CimFileMetadata metadata)
    {
        writer.CreateFile(CimPath.Parse(path), metadata);
        writer.CloseStream();
    }

    public static void Stream(this CimWriter writer, string path, string name, ReadOnlySpan<byte> content)
    {
        writer.CreateAlternateStream(CimPath.Parse(path), name, content.Length);
        writer.Write(content);
        writer.CloseStream();
    }

    public static void Link(this CimWriter writer, string path, string target) =>
        writer.CreateHardLink(CimPath.Parse(path), CimPath.Parse(target));

    public static void MergeLink(this CimWriter writer, string path, string target) =>
        writer.CreateMergeLink(CimPath.Parse(path), CimPath.Parse(target));

    public static void Tombstone(this CimWriter writer, string path) => writer.Tombstone(CimPath.Parse(path));

    public static void Opaque(this CimWriter writer, string path) => writer.MakeOpaque(CimPath.Parse(path));

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static byte[] ReadAll(this CimReader cim, CimStream stream)
    {
        using var data = cim.OpenStream(stream);
        using var bytes = new MemoryStream();
        data.CopyTo(bytes);
        return bytes.ToArray();
    }

    public static CimEntry Get(this CimReader cim, string path) =>
        cim.Find(CimPath.Parse(path)) ?? throw new InvalidOperationException($"there is no '{path}'");
}
