using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>An image in an OCI image layout on disk (OCI image spec, image-layout.md).</summary>
internal sealed class OciLayoutSource(ImageLocation.Layout location) : IImageSource
{
    private const string LayoutFile = "oci-layout";
    private const string IndexFile = "index.json";

    public string Name => location.ToString();

    public long BytesDownloaded => 0;

    public int Retries => 0;

    public bool IsRemote => false;

    public async Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken)
    {
        var descriptor = expected ?? Choose(await ReadIndexAsync(cancellationToken));
        if (descriptor.Size > ImageManifest.MaxBytes)
        {
            throw new InvalidDataException($"manifest {descriptor.Digest} has {descriptor.Size} bytes, more than the {ImageManifest.MaxBytes} allowed");
        }

        var bytes = new byte[descriptor.Size];
        await using var blob = OpenBlob(descriptor);
        await blob.ReadExactlyAsync(bytes, cancellationToken);
        var actual = Digest.Compute(bytes);
        return actual == descriptor.Digest
            ? new FetchedManifest(descriptor, bytes)
            : throw new InvalidDataException($"'{BlobPath(descriptor)}' has the digest {actual}: the layout is damaged");
    }

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        var stream = OpenBlob(blob);
        stream.Position = offset;
        return Task.FromResult<Stream>(stream);
    }

    private FileStream OpenBlob(Descriptor blob)
    {
        var path = BlobPath(blob);
        if (!File.Exists(path))
        {
            throw new ConversionException($"'{path}' does not exist: the layout lacks blob {blob.Digest}");
        }

        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        if (stream.Length == blob.Size)
        {
            return stream;
        }

        using (stream)
        {
            throw new InvalidDataException($"'{path}' has {stream.Length} bytes where its descriptor says {blob.Size}: the layout is damaged");
        }
    }

    private string BlobPath(Descriptor blob) => Path.Combine(location.Folder, "blobs", "sha256", blob.Digest.Hex);

    private async Task<ImageIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        var index = new FileInfo(Path.Combine(location.Folder, IndexFile));
        if (!index.Exists || !File.Exists(Path.Combine(location.Folder, LayoutFile)))
        {
            throw new ConversionException($"'{location.Folder}' is no OCI image layout: it has no '{LayoutFile}' and '{IndexFile}'");
        }

        return index.Length <= ImageIndex.MaxBytes
            ? ImageIndex.Parse(await File.ReadAllBytesAsync(index.FullName, cancellationToken), MediaTypes.OciIndex)
            : throw new InvalidDataException($"'{index.FullName}' has {index.Length} bytes, more than the {ImageIndex.MaxBytes} allowed");
    }

    private Descriptor Choose(ImageIndex index)
    {
        var candidates = index.Manifests.Where(m => location.ImageName is null || NameOf(m) == location.ImageName).ToArray();
        return candidates.Length == 1
            ? candidates[0]
            : throw new ConversionException(
                $"'{location.Folder}' has {(candidates.Length == 0 ? "no image" : "several images")}{(location.ImageName is null ? string.Empty : $" named '{location.ImageName}'")}"
                + $"; it has: {string.Join(", ", index.Manifests.Select(m => Printable.Of(NameOf(m) ?? "one without a name")))}");
    }

    private static string? NameOf(Descriptor manifest) => manifest.Annotations?.GetValueOrDefault(ImageIndex.RefName);
}
