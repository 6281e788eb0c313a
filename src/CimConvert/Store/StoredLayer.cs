using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CimConvert.Cims;
using CimConvert.Layers.Hives;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>A layer in the store. If it is the top layer of an image, its folder also holds the image's merged CIM.</summary>
internal sealed class StoredLayer
{
    public const string RecordFile = "layer.json";
    public const string MergedRecordFile = "merged.json";

    private const string MergedPrefix = "merged";

    /// <summary>The largest record that is read, in bytes; real ones are a few KB.</summary>
    private const int MaxRecordSize = 1024 * 1024;

    private const int HashBufferSize = 1024 * 1024;

    private StoredLayer(string folder, LayerRecord record, FileRecord? merged)
    {
        Folder = folder;
        Record = record;
        Merged = merged;
    }

    public string Folder { get; }

    public LayerRecord Record { get; }

    /// <summary>Null if no image with this top layer was merged; an image of one layer needs no merged CIM.</summary>
    public FileRecord? Merged { get; }

    public ChainId ChainId => new(Record.ChainId);

    /// <summary>Path of the block file, or of the <c>.cim</c> file of a forked CIM.</summary>
    public string CimFile => Path.Combine(Folder, Record.Cim.File);

    /// <summary>Whether it is a forked CIM, which holds the image up to this layer; else it is a block CIM of this layer alone.</summary>
    public bool IsForked => Record.RegionFiles is not null;

    /// <summary>Bytes of the layer's own files, without the merged CIM.</summary>
    public long Size => Record.Cim.Size + (Record.RegionFiles?.Sum(file => file.Size) ?? 0);

    public string? MergedFile => Merged is null ? null : Path.Combine(Folder, Merged.File);

    /// <summary>The layer's files that are blobs too, the merged CIM included.</summary>
    internal IEnumerable<(Digest Digest, string Path)> Files =>
    [
        (Record.Cim.Digest, CimFile),
        .. Record.RegionFiles?.Select(file => (file.Digest, Path.Combine(Folder, file.File))) ?? [],
        .. Merged is null ? [] : ((Digest, string)[])[(Merged.Digest, MergedFile!)],
    ];

    /// <summary>The hives that the layers above merge with, sorted. The CIM holds each of them too, in a folder of the same name.</summary>
    internal IEnumerable<string> HiveFiles => Path.Combine(Folder, RegistryHive.Folder) is var hives && Directory.Exists(hives)
        ? Directory.EnumerateFiles(hives).Order(StringComparer.Ordinal)
        : [];

    /// <summary>Whether a file in a layer's folder belongs to the merged CIM: its block file, its record or its root digest.</summary>
    internal static bool IsOfMerged(string name) => name.StartsWith(MergedPrefix, StringComparison.Ordinal);

    internal static StoredLayer? TryRead(string folder)
    {
        var record = TryReadRecord(folder, RecordFile, StoreJson.Default.LayerRecord);
        if (record is null
            || !IsThere(folder, record.Cim.File, record.Cim.Size)
            || record.RegionFiles?.All(file => IsThere(folder, file.File, file.Size)) == false
            || !HasMergedHives(folder))
        {
            return null;
        }

        var merged = TryReadRecord(folder, MergedRecordFile, StoreJson.Default.FileRecord);
        return new StoredLayer(folder, record, merged is not null && IsThere(folder, merged.File, merged.Size) ? merged : null);
    }

    /// <summary>The record of a block file. Reads the file if its digest was not computed while it was written.</summary>
    public static FileRecord Describe(CommittedCim cim, string cimName, bool vhdFooter, CancellationToken cancellationToken)
    {
        return new FileRecord
        {
            File = Path.GetFileName(cim.Path),
            CimName = cimName,
            Size = cim.Size,
            Digest = cim.Sha256 is { } hash ? Digest.FromHash(hash) : DigestOf(cim.Path, cancellationToken),
            VhdFooter = vhdFooter,
            IntegrityRoot = cim.IntegrityRoot is { } root ? Convert.ToHexStringLower(root) : null,
        };
    }

    /// <summary>The records of a forked CIM. Reads all of its own files for their digests.</summary>
    /// <returns>The <c>.cim</c> file, and its region and object ID files.</returns>
    public static (FileRecord Cim, IReadOnlyList<RegionFileRecord> RegionFiles) DescribeForked(CommittedCim cim, string cimName, CancellationToken cancellationToken)
    {
        var cimFile = new FileInfo(cim.Path);
        var files = StandardCim.Open(cim.Path).OwnFiles.Where(File.Exists).Order(StringComparer.Ordinal)
            .Select(path => new RegionFileRecord(Path.GetFileName(path), new FileInfo(path).Length, DigestOf(path, cancellationToken)));
        return (Describe(cim with { Size = cimFile.Length }, cimName, vhdFooter: false, cancellationToken), [.. files]);
    }

    /// <summary>Hashes a file.</summary>
    public static Digest DigestOf(string path, CancellationToken cancellationToken)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return DigestOf(stream, cancellationToken);
    }

    internal static Digest DigestOf(Stream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(HashBufferSize);
        try
        {
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Digest.FromHash(hash.GetHashAndReset());
    }

    /// <summary>A record's JSON as it is stored.</summary>
    internal static byte[] Encode<T>(T record, JsonTypeInfo<T> type) => [.. JsonSerializer.SerializeToUtf8Bytes(record, type), (byte)'\n'];

    /// <summary>
    /// Whether a file exists with the recorded size. Only <c>verify</c> checks its content.
    /// </summary>
    private static bool IsThere(string folder, string name, long size) =>
        name == Path.GetFileName(name) && new FileInfo(Path.Combine(folder, name)) is { Exists: true } info && info.Length == size;

    /// <summary>
    /// A layer with a delta hive also has the merged hive. A layer without was made before hives were merged, and is made again.
    /// </summary>
    private static bool HasMergedHives(string folder) =>
        RegistryHive.All.All(hive => !File.Exists(hive.DeltaFile(folder)) || File.Exists(hive.BaseFile(folder)));

    private static T? TryReadRecord<T>(string folder, string name, JsonTypeInfo<T> type)
        where T : class
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (!file.Exists || file.Length > MaxRecordSize)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
