using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// <c>index.json</c> of the store (OCI image spec, image-layout.md): one entry for each image, under the reference it was pulled by.
/// </summary>
internal sealed class ImageIndexFile(ConversionStore store)
{
    public const string FileName = "index.json";
    private const string LockName = "index";

    private string IndexPath => Path.Combine(store.Root, FileName);

    /// <summary>Adds an image, or replaces the one with that reference. Entries are sorted by reference.</summary>
    public Task PutAsync(string reference, Descriptor manifest, CancellationToken cancellationToken) =>
        ChangeAsync(entries => entries.Where(e => e.Reference != reference).Append((reference, manifest)), cancellationToken);

    /// <summary>Removes images, except those whose reference has got another manifest in the meantime.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<(string Reference, Descriptor Manifest)> images, CancellationToken cancellationToken)
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

    /// <summary>The images in the store, sorted by reference.</summary>
    public IReadOnlyList<(string Reference, Descriptor Manifest)> Read()
    {
        if (!File.Exists(IndexPath))
        {
            return [];
        }

        try
        {
            var index = ImageIndex.Parse(File.ReadAllBytes(IndexPath), MediaTypes.OciIndex);
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
        var entries = change(Read()).OrderBy(e => e.Reference, StringComparer.Ordinal);
        var index = ManifestWriter.Index(entries.Select(e => e.Manifest with
        {
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [ImageIndex.RefName] = e.Reference },
        }));
        store.WriteFile(IndexPath, ManifestWriter.Write(index, indented: true));
    }
}
