using System.Text;
using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// The store on disk (docs/store.md): an OCI image layout, and the layers' files in <c>layers/</c> beside it. Everything is written
/// under <c>ingest/</c>, flushed and renamed, so a name under <c>layers/</c> or <c>blobs/</c> always stands for something complete.
/// Several processes may use one store at once.
/// </summary>
internal sealed class ConversionStore
{
    private const string LayoutFile = "oci-layout";
    private const string Layers = "layers";
    private const string LockFile = "gc" + FileLock.Suffix;

    private static readonly byte[] s_layout = Encoding.ASCII.GetBytes("""{"imageLayoutVersion":"1.0.0"}""");

    private static int s_temporaryCount;

    private readonly string _blobs;

    private ConversionStore(string root)
    {
        Root = root;
        Ingest = IngestArea.In(root);
        _blobs = Path.Combine(root, "blobs", "sha256");
    }

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    /// <summary>Claims on layers, and partial downloads.</summary>
    public IngestArea Ingest { get; }

    /// <summary>Opens a store, or creates it. Deletes what killed runs left unfinished in it.</summary>
    public static ConversionStore Open(string root)
    {
        var store = new ConversionStore(Path.GetFullPath(root));
        Directory.CreateDirectory(store._blobs);
        Directory.CreateDirectory(Path.Combine(store.Root, Layers));
        store.Ingest.Open();
        var layout = Path.Combine(store.Root, LayoutFile);
        if (!File.Exists(layout))
        {
            store.WriteFile(layout, s_layout);
        }

        return store;
    }

    /// <summary>Whether a folder is a store.</summary>
    public static bool IsStore(string folder) => File.Exists(Path.Combine(folder, LayoutFile)) && Directory.Exists(Path.Combine(folder, Layers));

    /// <summary>Opens a store, and changes nothing in it.</summary>
    public static ConversionStore OpenExisting(string root) => IsStore(root)
        ? new ConversionStore(Path.GetFullPath(root))
        : throw new ConversionException($"'{root}' is no store: it has no '{LayoutFile}' and '{Layers}'");

    /// <summary>Chain IDs of all layers, sorted.</summary>
    public IReadOnlyList<ChainId> LayerIds() =>
    [
        .. Directory.EnumerateDirectories(Path.Combine(Root, Layers))
            .Select(path => $"sha256:{Path.GetFileName(path)}")
            .Order(StringComparer.Ordinal)
            .Select(text => Digest.TryParse(text, out var digest) ? new ChainId(digest) : (ChainId?)null)
            .OfType<ChainId>(),
    ];

    public string LayerFolder(ChainId chainId) => Path.Combine(Root, Layers, chainId.Hex);

    public string BlobPath(Digest digest) => BlobPath(digest.Hex);

    internal string BlobPath(string name) => Path.Combine(_blobs, name);

    /// <summary>Null if the layer is not in the store, or is not complete.</summary>
    public StoredLayer? FindLayer(ChainId chainId) => StoredLayer.TryRead(LayerFolder(chainId));

    /// <summary>
    /// Leases layers that this process is about to look up or to make: until the lease is disposed, no garbage collection removes
    /// them. Waits while a collection is deciding what to remove.
    /// </summary>
    /// <param name="chain">Chain IDs of all layers of an image.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<StoreLease> UseAsync(IReadOnlyList<ChainId> chain, CancellationToken cancellationToken)
    {
        using var storeLock = await LockAsync(cancellationToken);
        return StoreLease.Register(this, chain);
    }

    /// <summary>
    /// Writes a finished layer's record, and moves its folder to its final place. Replaces a layer built with other options.
    /// </summary>
    public StoredLayer Publish(IngestFolder finished, LayerRecord record)
    {
        WriteFile(Path.Combine(finished.Path, StoredLayer.RecordFile), StoredLayer.Encode(record, StoreJson.Default.LayerRecord));
        var target = LayerFolder(new ChainId(record.ChainId));
        if (Directory.Exists(target))
        {
            Directory.Move(target, finished.Discarded);
        }

        Directory.Move(finished.Path, target);
        return FindLayer(new ChainId(record.ChainId))
            ?? throw new InvalidOperationException($"the layer just written to '{target}' is not complete");
    }

    /// <summary>Moves a merged CIM into the folder of its top layer. The record is written last: without it, the merged CIM does not count.</summary>
    public StoredLayer PublishMerged(StoredLayer top, IngestFolder finished, FileRecord record)
    {
        File.Delete(Path.Combine(top.Folder, StoredLayer.MergedRecordFile));
        foreach (var file in Directory.EnumerateFiles(finished.Path))
        {
            File.Move(file, Path.Combine(top.Folder, Path.GetFileName(file)), overwrite: true);
        }

        WriteFile(Path.Combine(top.Folder, StoredLayer.MergedRecordFile), StoredLayer.Encode(record, StoreJson.Default.FileRecord));
        return FindLayer(top.ChainId)
            ?? throw new InvalidOperationException($"layer '{top.Folder}' was removed while it was merged");
    }

    /// <summary>
    /// The block files that a layer's merged CIM refers to, topmost first: the layer's own and those of the layers below.
    /// </summary>
    /// <exception cref="InvalidDataException">One of the layers is missing.</exception>
    public IReadOnlyList<string> SourcesOf(StoredLayer top) =>
    [
        top.CimFile,
        .. top.Record.Parents.Select(parent => FindLayer(new ChainId(parent))?.CimFile
            ?? throw new InvalidDataException($"layer {parent}, which the merged CIM needs, is not in the store")),
    ];

    /// <summary>As <see cref="SourcesOf(StoredLayer)"/>, for the path of a merged CIM in a store; empty for any other path.</summary>
    public static IReadOnlyList<string> SourcesOf(string blockFile)
    {
        var path = Path.GetFullPath(blockFile);
        var folder = Path.GetDirectoryName(path)!;
        return Path.GetDirectoryName(Path.GetDirectoryName(folder)) is { } root
            && IsStore(root)
            && StoredLayer.TryRead(folder) is { } layer
            && layer.MergedFile == path
            ? new ConversionStore(root).SourcesOf(layer)
            : [];
    }

    /// <summary>The images in the store, sorted by the reference they were pulled by, then by platform.</summary>
    public IReadOnlyList<IndexedImage> Images() => new ImageIndexFile(this).Read();

    /// <summary>Paths of all blobs, sorted.</summary>
    public IEnumerable<string> BlobFiles() => Directory.EnumerateFiles(_blobs).Order(StringComparer.Ordinal);

    /// <summary>The first blob of an image that is missing or has the wrong size; null if all are there.</summary>
    /// <param name="manifest">The manifest's descriptor in the index.</param>
    /// <exception cref="InvalidDataException">The manifest has another size than the index says.</exception>
    public Descriptor? FindMissing(Descriptor manifest)
    {
        var bytes = File.ReadAllBytes(BlobPath(manifest.Digest));
        if (bytes.Length != manifest.Size)
        {
            throw new InvalidDataException($"its manifest has {bytes.Length} bytes, the index says {manifest.Size}");
        }

        var parsed = ImageManifest.Parse(bytes, manifest.MediaType);
        return parsed.Layers.Prepend(parsed.Config)
            .FirstOrDefault(blob => new FileInfo(BlobPath(blob.Digest)) is var file && (!file.Exists || file.Length != blob.Size));
    }

    /// <summary>
    /// Sets the time of an image's last use, which is the last-write time of its manifest. A read-only store is used all the same.
    /// </summary>
    public void MarkUsed(Digest manifest)
    {
        try
        {
            File.SetLastWriteTimeUtc(BlobPath(manifest), TimeProvider.System.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Stores a document as a blob.</summary>
    public Descriptor PutBlob(ReadOnlyMemory<byte> content, string mediaType)
    {
        var descriptor = Descriptor.Of(mediaType, content.Span);
        var path = BlobPath(descriptor.Digest);
        if (!File.Exists(path))
        {
            WriteFile(path, content.Span);
        }

        return descriptor;
    }

    /// <summary>Makes a layer file a blob as well: as a hard link, or as a copy if the file system has none.</summary>
    public void LinkBlob(string file, Digest digest)
    {
        var path = BlobPath(digest);
        if (File.Exists(path) || HardLink.TryCreate(path, file))
        {
            return;
        }

        AtomicFile.Copy(file, path, temporary: TemporaryFor(path));
    }

    /// <summary>
    /// Bytes of all files. A blob that is a layer's file under a second name counts once: on most file systems it is a hard link.
    /// </summary>
    public long SizeOnDisk()
    {
        var linked = LayerIds().Select(FindLayer).OfType<StoredLayer>()
            .SelectMany(layer => layer.Files)
            .Select(file => file.Digest.Hex)
            .ToHashSet(StringComparer.Ordinal);

        // Other processes add and remove files meanwhile.
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None };
        return new DirectoryInfo(Root).EnumerateFiles("*", options).Where(file => file.Exists && !linked.Contains(file.Name)).Sum(file => file.Length);
    }

    /// <summary>
    /// The store's lock, held for short times: it keeps others from leasing layers and adding images while something is removed.
    /// Always taken before the lock of the index.
    /// </summary>
    internal Task<FileLock> LockAsync(CancellationToken cancellationToken) => FileLock.TakeAsync(Path.Combine(Ingest.Root, LockFile), cancellationToken);

    /// <summary>Writes or replaces a file atomically: readers see the old content or the new.</summary>
    internal void WriteFile(string path, ReadOnlySpan<byte> content) => AtomicFile.Write(path, content, temporary: TemporaryFor(path));

    private string TemporaryFor(string path) => Path.Combine(Ingest.Root, $"{Path.GetFileName(path)}.{Environment.ProcessId}-{Interlocked.Increment(ref s_temporaryCount)}{AtomicFile.TemporarySuffix}");
}
