using System.Text;
using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// The store on disk: an OCI image layout, with the layers' files beside it. A name under <c>layers/</c> or <c>blobs/</c> exists
/// only when what it names is complete: everything is written under <c>ingest/</c> first, flushed and renamed. Several
/// processes may use one store.
/// </summary>
internal sealed class ConversionStore
{
    private const string LayoutFile = "oci-layout";
    private const string Layers = "layers";
    private const string Ingest = "ingest";
    private const string Gate = "gc" + FileLock.Suffix;

    private static readonly byte[] s_layout = Encoding.ASCII.GetBytes("""{"imageLayoutVersion":"1.0.0"}""");

    private static int s_temporaries;

    private readonly string _blobs;

    private ConversionStore(string root)
    {
        Root = root;
        IngestRoot = Path.Combine(root, Ingest);
        _blobs = Path.Combine(root, "blobs", "sha256");
    }

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    internal string IngestRoot { get; }

    /// <summary>Opens a store, which is made where there is none; what killed runs left unfinished in it is removed.</summary>
    public static ConversionStore Open(string root)
    {
        var store = new ConversionStore(Path.GetFullPath(root));
        Directory.CreateDirectory(store.IngestRoot);
        Directory.CreateDirectory(store._blobs);
        Directory.CreateDirectory(Path.Combine(store.Root, Layers));
        Leftovers.Sweep(store.IngestRoot);
        var layout = Path.Combine(store.Root, LayoutFile);
        if (!File.Exists(layout))
        {
            store.WriteFile(layout, s_layout);
        }

        return store;
    }

    /// <summary>Whether a folder is a store: the layout file is the first thing a store gets.</summary>
    public static bool IsStore(string folder) => File.Exists(Path.Combine(folder, LayoutFile)) && Directory.Exists(Path.Combine(folder, Layers));

    /// <summary>Opens a store to read it, and leaves it as it is.</summary>
    public static ConversionStore OpenExisting(string root) => IsStore(root)
        ? new ConversionStore(Path.GetFullPath(root))
        : throw new ConversionException($"'{root}' is no store: it has no '{LayoutFile}' and '{Layers}'");

    /// <summary>Chain IDs of the layers there are, sorted.</summary>
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

    /// <summary>What the store has of a layer; null where it has none, or not all of it.</summary>
    public StoredLayer? FindLayer(ChainId chainId) => StoredLayer.TryRead(LayerFolder(chainId));

    /// <summary>
    /// Claims a layer for this process, waiting while another has it, and gives a folder to make it in. Disposed, the folder
    /// and the claim are gone.
    /// </summary>
    public Task<IngestFolder> ClaimAsync(ChainId chainId, CancellationToken cancellationToken) =>
        IngestFolder.ClaimAsync(IngestRoot, chainId.Hex, cancellationToken);

    /// <summary>Whether a process has claimed a layer.</summary>
    internal bool IsClaimed(ChainId chainId) => !FileLock.IsFree(Path.Combine(IngestRoot, chainId.Hex + FileLock.Suffix));

    /// <summary>
    /// Says that this process is about to look for layers in the store, or to make them: until the lease is disposed, no
    /// collection removes them. Waits while one decides what to remove.
    /// </summary>
    /// <param name="chain">Chain IDs of all layers of an image.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<StoreLease> UseAsync(IReadOnlyList<ChainId> chain, CancellationToken cancellationToken)
    {
        using var gate = await LockAsync(cancellationToken);
        return StoreLease.Register(this, chain);
    }

    /// <summary>What an earlier run got of a blob, to go on from, or to begin with; null while another process has it.</summary>
    public PartialBlob? TryOpenPartial(Digest digest) => PartialBlob.TryOpen(PartialPath(digest));

    /// <summary>Removes what an earlier run got of a blob that is not needed any more.</summary>
    public void RemovePartial(Digest digest) => AtomicFile.RemoveAbandoned(PartialPath(digest));

    /// <summary>
    /// Writes a finished layer's record, and moves its folder to its final place. A layer that is there, made otherwise, makes way.
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
            ?? throw new InvalidOperationException($"the layer just written to '{target}' is not whole");
    }

    /// <summary>Moves a merged CIM into the folder of its top layer; its record goes last, and makes it count.</summary>
    public StoredLayer PublishMerged(StoredLayer top, IngestFolder finished, FileRecord record)
    {
        File.Delete(Path.Combine(top.Folder, StoredLayer.MergedRecordFile));
        foreach (var file in Directory.EnumerateFiles(finished.Path))
        {
            File.Move(file, Path.Combine(top.Folder, Path.GetFileName(file)), overwrite: true);
        }

        WriteFile(Path.Combine(top.Folder, StoredLayer.MergedRecordFile), StoredLayer.Encode(record, StoreJson.Default.FileRecord));
        return FindLayer(top.ChainId)
            ?? throw new InvalidOperationException($"layer '{top.Folder}' went away while it was merged");
    }

    /// <summary>
    /// The block files a layer's merged CIM was merged from, topmost first: the layer's own and those below it.
    /// </summary>
    /// <exception cref="InvalidDataException">One is missing.</exception>
    public IReadOnlyList<string> SourcesOf(StoredLayer top) =>
    [
        top.ImagePath,
        .. top.Record.Parents.Select(parent => FindLayer(new ChainId(parent))?.ImagePath
            ?? throw new InvalidDataException($"layer {parent}, which the merged CIM needs, is not in the store")),
    ];

    /// <summary>The block files that the merged CIM at a path was merged from, where the path is in a store; none elsewhere.</summary>
    public static IReadOnlyList<string> SourcesOf(string blockFile)
    {
        var path = Path.GetFullPath(blockFile);
        var folder = Path.GetDirectoryName(path)!;
        return Path.GetDirectoryName(Path.GetDirectoryName(folder)) is { } root
            && IsStore(root)
            && StoredLayer.TryRead(folder) is { } layer
            && layer.MergedPath == path
            ? new ConversionStore(root).SourcesOf(layer)
            : [];
    }

    /// <summary>The images in the store by the reference they were pulled by, sorted.</summary>
    public IReadOnlyList<(string Reference, Descriptor Manifest)> Images() => new ImageIndexFile(this).Read();

    /// <summary>Paths of all blobs, sorted.</summary>
    public IEnumerable<string> BlobFiles() => Directory.EnumerateFiles(_blobs).Order(StringComparer.Ordinal);

    /// <summary>The first blob of an image that is missing, or not of its size; null where it has all.</summary>
    /// <param name="manifest">As the index has it.</param>
    /// <exception cref="InvalidDataException">The manifest itself is not what the index says.</exception>
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
    /// Stamps an image's manifest with the time: the age of images is told by it. A store that cannot be written is used all the same.
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

    /// <summary>Keeps a document under its digest.</summary>
    public Descriptor PutBlob(ReadOnlyMemory<byte> content, string mediaType)
    {
        var digest = Digest.Compute(content.Span);
        var path = BlobPath(digest);
        if (!File.Exists(path))
        {
            WriteFile(path, content.Span);
        }

        return new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    /// <summary>Makes a layer file a blob too: a hard link where the file system has them, a copy elsewhere.</summary>
    public void LinkBlob(string file, Digest digest)
    {
        var path = BlobPath(digest);
        if (File.Exists(path) || HardLink.TryCreate(path, file))
        {
            return;
        }

        AtomicFile.Copy(TemporaryFor(path), path, file);
    }

    /// <summary>
    /// The store's short lock: nobody begins to use layers, or adds an image, while another removes. Taken before the index's.
    /// </summary>
    internal Task<FileLock> LockAsync(CancellationToken cancellationToken) => FileLock.TakeAsync(Path.Combine(IngestRoot, Gate), cancellationToken);

    /// <summary>Replaces a file as a whole: readers see the old one or the new one.</summary>
    internal void WriteFile(string path, ReadOnlySpan<byte> content) => AtomicFile.Write(TemporaryFor(path), path, content);

    private string PartialPath(Digest digest) => Path.Combine(IngestRoot, digest.Hex + PartialBlob.Suffix);

    private string TemporaryFor(string path) => Path.Combine(IngestRoot, $"{Path.GetFileName(path)}.{Environment.ProcessId}-{Interlocked.Increment(ref s_temporaries)}{AtomicFile.TemporarySuffix}");
}
