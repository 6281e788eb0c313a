using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// <c>index.json</c> of the store (OCI image layout specification): one entry for each image, under the reference it was pulled by.
/// </summary>
internal sealed class ImageIndexFile(ConversionStore store)
{
    public const string FileName = "index.json";
    private const string LockName = "index";

    private static readonly JsonSerializerOptions s_indented = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
    };

    private string IndexPath => Path.Combine(store.Root, FileName);

    /// <summary>Adds an image, or replaces the one of that reference. Entries are sorted by reference.</summary>
    public Task PutAsync(string reference, Descriptor manifest, CancellationToken cancellationToken) =>
        ChangeAsync(entries => entries.Where(e => e.Reference != reference).Append((reference, manifest)), cancellationToken);

    /// <summary>Takes images out, unless their references name others by now.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<(string Reference, Descriptor Manifest)> images, CancellationToken cancellationToken)
    {
        if (images.Count > 0)
        {
            var removed = images.Select(image => (image.Reference, image.Manifest.Digest)).ToHashSet();
            await ChangeAsync(entries => entries.Where(e => !removed.Contains((e.Reference, e.Manifest.Digest))), cancellationToken);
        }
    }

    /// <summary>Removes the index: for one that cannot be read.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        using var claim = await IngestFolder.ClaimAsync(store.IngestRoot, LockName, cancellationToken);
        File.Delete(IndexPath);
    }

    /// <summary>The images in the store by reference, sorted.</summary>
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
        // Two processes changing it at once must not lose each other's entries.
        using var claim = await IngestFolder.ClaimAsync(store.IngestRoot, LockName, cancellationToken);
        var entries = change(Read()).OrderBy(e => e.Reference, StringComparer.Ordinal);
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([.. entries.Select(e => Encode(e.Reference, e.Manifest))]),
        };
        store.WriteFile(IndexPath, Encoding.UTF8.GetBytes(index.ToJsonString(s_indented)));
    }

    private static JsonObject Encode(string reference, Descriptor manifest)
    {
        var entry = new JsonObject
        {
            ["mediaType"] = manifest.MediaType,
            ["digest"] = manifest.Digest.ToString(),
            ["size"] = manifest.Size,
        };
        if (manifest.ArtifactType is { } artifactType)
        {
            entry["artifactType"] = artifactType;
        }

        if (manifest.Platform is { } platform)
        {
            entry["platform"] = new JsonObject { ["architecture"] = platform.Architecture, ["os"] = platform.Os };
            if (platform.OsVersion is { } version)
            {
                entry["platform"]!["os.version"] = version;
            }
        }

        entry["annotations"] = new JsonObject { [ImageIndex.RefName] = reference };
        return entry;
    }
}
