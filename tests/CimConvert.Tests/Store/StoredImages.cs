using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Store;
using CimConvert.Tests.Publishing;

namespace CimConvert.Tests.Store;

/// <summary>Images in a store, put there as a conversion puts them, of layers that only the store's own checks look into.</summary>
internal static class StoredImages
{
    public const int LayerSize = 10_000;

    private static readonly Platform s_platform = new() { Os = "windows", Architecture = "amd64" };

    public static IReadOnlyList<ChainId> Chain(params IEnumerable<string> layers)
    {
        var chain = new List<ChainId>();
        foreach (var layer in layers)
        {
            chain.Add(ChainId.Of(chain.Count == 0 ? null : chain[^1], new DiffId(Digest.Compute(Encoding.UTF8.GetBytes(layer)))));
        }

        return chain;
    }

    /// <summary>Adds an image of layers by their names, base first; layers of the same names below are the same.</summary>
    public static Task<Descriptor> AddAsync(ConversionStore store, string reference, params string[] layers) => AddAsync(store, reference, s_platform, layers);

    /// <summary>As <see cref="AddAsync(ConversionStore, string, string[])"/>, for one Windows version of a name that has several.</summary>
    public static Task<Descriptor> AddVersionAsync(ConversionStore store, string reference, string osVersion, params string[] layers) =>
        AddAsync(store, reference, s_platform with { OsVersion = osVersion }, layers);

    private static async Task<Descriptor> AddAsync(ConversionStore store, string reference, Platform platform, string[] layers)
    {
        var made = await AddLayersAsync(store, layers);
        foreach (var file in made.SelectMany(layer => layer.Files.Take(1)).Concat(made[^1].Files.Skip(1)))
        {
            store.LinkBlob(file.Path, file.Digest);
        }

        var image = SourceImages.Make(string.Join('/', layers));
        store.PutBlob(image.ConfigBytes, MediaTypes.ConvertedSourceConfig);
        store.PutBlob(ConvertedManifest.EmptyConfig, MediaTypes.OciEmpty);
        var manifest = store.PutBlob(ConvertedManifest.Encode(image, made), MediaTypes.OciManifest) with
        {
            ArtifactType = MediaTypes.ConvertedImage,
            Platform = platform,
        };
        await new ImageIndexFile(store).PutAsync(reference, manifest, CancellationToken.None);
        return manifest;
    }

    /// <summary>The layers alone, the last with a merged CIM.</summary>
    public static async Task<IReadOnlyList<StoredLayer>> AddLayersAsync(ConversionStore store, params string[] layers)
    {
        var made = new List<StoredLayer>();
        foreach (var (i, chainId) in Chain(layers).Index())
        {
            made.Add(store.FindLayer(chainId) ?? await MakeAsync(store, chainId, layers[i], made));
        }

        if (made.Count > 1 && made[^1].Merged is null)
        {
            made[^1] = await MergeAsync(store, made);
        }

        return made;
    }

    /// <summary>Says that an image was last used so long ago.</summary>
    public static void Age(ConversionStore store, Descriptor manifest, TimeSpan age) =>
        File.SetLastWriteTimeUtc(store.BlobPath(manifest.Digest), (TimeProvider.System.GetUtcNow() - age).UtcDateTime);

    private static async Task<StoredLayer> MakeAsync(ConversionStore store, ChainId chainId, string name, List<StoredLayer> below)
    {
        using var claim = await store.Ingest.ClaimAsync(chainId, CancellationToken.None);
        var record = StoreRecords.Write(claim.Path, chainId, name.PadRight(LayerSize)) with
        {
            Parents = [.. Enumerable.Reverse(below).Select(layer => layer.ChainId.Digest)],
            Backend = "native",
        };
        return store.Publish(claim, record);
    }

    private static async Task<StoredLayer> MergeAsync(ConversionStore store, List<StoredLayer> layers)
    {
        var top = layers[^1];
        using var claim = await store.Ingest.ClaimAsync(top.ChainId, CancellationToken.None);
        var bytes = Encoding.UTF8.GetBytes($"merged {top.ChainId}");
        File.WriteAllBytes(Path.Combine(claim.Path, "merged.bcim"), bytes);
        return store.PublishMerged(top, claim, new FileRecord
        {
            File = "merged.bcim",
            CimName = "merged.cim",
            Size = bytes.Length,
            Digest = Digest.Compute(bytes),
            VhdFooter = false,
            Sources = [.. Enumerable.Reverse(layers).Select(layer => layer.Record.Cim.Digest)],
        });
    }

    /// <summary>A copy of a store in a folder.</summary>
    public static ConversionStore Copy(string store, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(store, "*", SearchOption.AllDirectories).Prepend(store))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(store, folder)));
        }

        foreach (var file in Directory.EnumerateFiles(store, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(store, file)));
        }

        return ConversionStore.OpenExisting(to);
    }
}
