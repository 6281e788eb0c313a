using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CimConvert.Cims;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>A layer in the store, and the merged CIM that lies in its folder where it is the top of an image.</summary>
internal sealed class StoredLayer
{
    public const string RecordFile = "layer.json";
    public const string MergedRecordFile = "merged.json";

    private const string MergedPrefix = "merged";

    internal const string HivesFolder = "Hives";

    /// <summary>Records are our own and small; a larger one is none.</summary>
    private const int MaxRecordSize = 1024 * 1024;

    // Layers name the hives; what a store knows of them is the names' endings.
    private const string BaseSuffix = "_BASE";
    private const string DeltaSuffix = "_DELTA";

    private const int HashBufferSize = 1024 * 1024;

    private StoredLayer(string folder, LayerRecord record, FileRecord? merged)
    {
        Folder = folder;
        Record = record;
        Merged = merged;
    }

    public string Folder { get; }

    public LayerRecord Record { get; }

    /// <summary>Null where no image that ends here was merged, and for an image of one layer.</summary>
    public FileRecord? Merged { get; }

    public ChainId ChainId => new(Record.ChainId);

    public string ImagePath => Path.Combine(Folder, Record.Image.File);

    /// <summary>Whether it is a standard CIM that holds the image up to here, and not a block CIM of the layer alone.</summary>
    public bool IsForked => Record.CimFiles is not null;

    /// <summary>Bytes of the layer's own files.</summary>
    public long Size => Record.Image.Size + (Record.CimFiles?.Sum(file => file.Size) ?? 0);

    public string? MergedPath => Merged is null ? null : Path.Combine(Folder, Merged.File);

    /// <summary>The files that there are of the layer's own, and are blobs, with their digests.</summary>
    internal IEnumerable<(Digest Digest, string Path)> Files =>
    [
        (Record.Image.Digest, ImagePath),
        .. Record.CimFiles?.Select(file => (file.Digest, Path.Combine(Folder, file.File))) ?? [],
        .. Merged is null ? [] : ((Digest, string)[])[(Merged.Digest, MergedPath!)],
    ];

    /// <summary>The hives kept for the layers above, sorted; the image has each, too, in a folder of the same name.</summary>
    internal IEnumerable<string> HiveFiles => FilesOf(Path.Combine(Folder, HivesFolder), "*").Order(StringComparer.Ordinal);

    /// <summary>Whether a name in a layer's folder is one of the merged CIM's: its block file, its record, its root digest.</summary>
    internal static bool IsOfMerged(string name) => name.StartsWith(MergedPrefix, StringComparison.Ordinal);

    internal static StoredLayer? TryRead(string folder)
    {
        var record = TryReadRecord(folder, RecordFile, StoreJson.Default.LayerRecord);
        if (record is null
            || !IsThere(folder, record.Image.File, record.Image.Size)
            || record.CimFiles?.All(file => IsThere(folder, file.File, file.Size)) == false
            || !HasMergedHives(folder))
        {
            return null;
        }

        var merged = TryReadRecord(folder, MergedRecordFile, StoreJson.Default.FileRecord);
        return new StoredLayer(folder, record, merged is not null && IsThere(folder, merged.File, merged.Size) ? merged : null);
    }

    /// <summary>What a store keeps of a block file, which is read for its digest where that was not made on the way.</summary>
    public static FileRecord Describe(CommittedCim image, string cimName, bool vhdFooter, CancellationToken cancellationToken)
    {
        return new FileRecord
        {
            File = Path.GetFileName(image.Path),
            CimName = cimName,
            Size = image.Size,
            Digest = image.Sha256 is { } hash ? Digest.FromHash(hash) : DigestOf(image.Path, cancellationToken),
            VhdFooter = vhdFooter,
            IntegrityRoot = image.IntegrityRoot is { } root ? Convert.ToHexStringLower(root) : null,
        };
    }

    /// <summary>What a store keeps of a forked CIM: all of its own files are read once, for their digests.</summary>
    /// <returns>The <c>.cim</c> file, and its region and object ID files.</returns>
    public static (FileRecord Image, IReadOnlyList<CimFileRecord> CimFiles) DescribeForked(CommittedCim image, string cimName, CancellationToken cancellationToken)
    {
        var cim = new FileInfo(image.Path);
        var files = StandardCim.Open(image.Path).OwnFiles.Where(File.Exists).Order(StringComparer.Ordinal)
            .Select(path => new CimFileRecord(Path.GetFileName(path), new FileInfo(path).Length, DigestOf(path, cancellationToken)));
        return (Describe(image with { Size = cim.Length }, cimName, vhdFooter: false, cancellationToken), [.. files]);
    }

    /// <summary>Hashes a whole file.</summary>
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

    /// <summary>Bytes of a record as it is stored.</summary>
    internal static byte[] Encode<T>(T record, JsonTypeInfo<T> type) => [.. JsonSerializer.SerializeToUtf8Bytes(record, type), (byte)'\n'];

    /// <summary>
    /// Whether a file is there with the size it had when it was finished. Its content is checked by <c>verify</c>, not here.
    /// </summary>
    private static bool IsThere(string folder, string name, long size) =>
        name == Path.GetFileName(name) && new FileInfo(Path.Combine(folder, name)) is { Exists: true } info && info.Length == size;

    /// <summary>
    /// A layer with changes to a hive has the whole hive, too: one without was made before hives were merged, and is made anew.
    /// </summary>
    private static bool HasMergedHives(string folder) =>
        FilesOf(Path.Combine(folder, HivesFolder), "*" + DeltaSuffix).All(delta => File.Exists(delta[..^DeltaSuffix.Length] + BaseSuffix));

    private static IEnumerable<string> FilesOf(string folder, string pattern) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern) : [];

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
