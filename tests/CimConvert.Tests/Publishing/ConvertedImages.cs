using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Store;
using CimConvert.TestKit;

namespace CimConvert.Tests.Publishing;

/// <summary>Manifests of converted images, of layers whose block files nobody looks into.</summary>
internal static class ConvertedImages
{
    /// <summary>The diff IDs of the layers <c>base</c> and <c>top</c>, which every image here has.</summary>
    public static IReadOnlyList<Digest> DiffIds { get; } = [.. ((string[])["base", "top"]).Select(name => Digest.Compute(Encoding.UTF8.GetBytes(name + " tar")))];

    public static byte[] Manifest(string source = "source", string osVersion = "10.0.20348.2700", bool withSubject = false)
    {
        using var folder = new TempFolder();
        return ConvertedManifest.Encode(SourceImages.Make(source, osVersion, diffIds: DiffIds), Layers(folder), withSubject);
    }

    private static IReadOnlyList<StoredLayer> Layers(TempFolder folder)
    {
        var store = ConversionStore.Open(folder.Path);
        var bottom = ChainId.Of(null, new DiffId(DiffIds[0]));
        var made = new[] { Layer(store, bottom, DiffIds[0], []), Layer(store, ChainId.Of(bottom, new DiffId(DiffIds[1])), DiffIds[1], [bottom.Digest]) };
        using var merging = store.Ingest.ClaimAsync(made[1].ChainId, CancellationToken.None).GetAwaiter().GetResult();
        File.WriteAllText(Path.Combine(merging.Path, "merged.bcim"), "merged");
        var record = new FileRecord { File = "merged.bcim", CimName = "merged.cim", Size = "merged".Length, Digest = Digest.Compute("merged"u8), VhdFooter = false };
        return [made[0], store.PublishMerged(made[1], merging, record)];
    }

    private static StoredLayer Layer(ConversionStore store, ChainId chainId, Digest diffId, IReadOnlyList<Digest> parents)
    {
        using var claim = store.Ingest.ClaimAsync(chainId, CancellationToken.None).GetAwaiter().GetResult();
        return store.Publish(claim, Store.StoreRecords.Write(claim.Path, chainId, $"block file of {diffId}") with { DiffId = diffId, Parents = parents });
    }
}
