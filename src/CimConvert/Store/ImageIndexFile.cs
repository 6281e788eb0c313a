using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// <c>index.json</c> of the store (OCI image spec, image-layout.md): one entry for each reference that images were pulled by, and each
/// platform of it (<see cref="PlatformKey"/>).
/// </summary>
internal sealed class ImageIndexFile(ConversionStore store)
{
    public const string FileName = "index.json";

    /// <summary>Far more images than one list of <c>prewarm</c> can have.</summary>
    public const int MaxImages = 100_000;

    public const int MaxBytes = 64 << 20;

    private const string LockName = "index";

    private string IndexPath => Path.Combine(store.Root, FileName);

    /// <summary>Adds an image that was chosen from an index. Replaces the one of the same reference and platform; other platforms stay.</summary>
    public Task PutAsync(string reference, Descriptor manifest, CancellationToken cancellationToken)
    {
        var platform = PlatformKey.Of(manifest.Platform);
        return ChangeAsync(
            entries => entries.Where(e => e.Reference != reference || PlatformKey.Of(e.Manifest.Platform) != platform).Append((reference, manifest)),
            cancellationToken);
    }

    /// <summary>Adds the only image that a reference stands for. Replaces all that were under it.</summary>
    public Task PutOnlyAsync(string reference, Descriptor manifest, CancellationToken cancellationToken) =>
        ChangeAsync(entries => entries.Where(e => e.Reference != reference).Append((reference, manifest)), cancellationToken);

    /// <summary>Removes images, except those whose reference has got another manifest in the meantime.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<IndexedImage> images, CancellationToken cancellationToken)
    {
        if (images.Count > 0)
        {
            var removed = images.Select(image => (image.Reference, image.Manifest.Digest)).ToHashSet();
            await ChangeAsync(entries => entries.Where(e => !removed.Contains((e.Reference, e.Manifest.Digest))), cancellationToken);
        }
    }

    /// <summary>Deletes an index that cannot be read.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        using var claim = await IngestFolder.ClaimAsync(store.Ingest.Root, LockName, cancellationToken);
        File.Delete(IndexPath);
    }

    /// <summary>The images in the store, sorted by reference, then by platform.</summary>
    public IReadOnlyList<IndexedImage> Read()
    {
        var entries = ReadEntries();
        var counts = entries.CountBy(e => e.Reference, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        return [.. entries.Select(e => new IndexedImage(e.Reference, e.Manifest) { IsOneOfSeveral = counts[e.Reference] > 1 })];
    }

    private IReadOnlyList<(string Reference, Descriptor Manifest)> ReadEntries()
    {
        if (!File.Exists(IndexPath))
        {
            return [];
        }

        try
        {
            var index = ImageIndex.Parse(File.ReadAllBytes(IndexPath), MediaTypes.OciIndex, MaxBytes, MaxImages);
            return [.. index.Manifests.Select(m => (m.Annotations?.GetValueOrDefault(ImageIndex.RefName) ?? m.Digest.ToString(), m))];
        }
        catch (InvalidDataException e)
        {
            throw new ConversionException($"'{IndexPath}' cannot be read: {e.Message}", e);
        }
    }

    private async Task ChangeAsync(
        Func<IEnumerable<(string Reference, Descriptor Manifest)>, IEnumerable<(string Reference, Descriptor Manifest)>> change, CancellationToken cancellationToken)
    {
        // Locked: two processes that change the index at once must not lose each other's entries.
        using var claim = await IngestFolder.ClaimAsync(store.Ingest.Root, LockName, cancellationToken);
        var index = ManifestWriter.Index(change(ReadEntries())
            .OrderBy(e => e.Reference, StringComparer.Ordinal)
            .ThenBy(e => e.Manifest.Platform, PlatformOrder.Instance)
            .ThenBy(e => e.Manifest.Digest.Hex, StringComparer.Ordinal)
            .Select(e => e.Manifest with
            {
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [ImageIndex.RefName] = e.Reference },
            }));
        store.WriteFile(IndexPath, ManifestWriter.Write(index, indented: true));
    }
}
