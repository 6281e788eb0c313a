using CimConvert.Cims;
using CimConvert.Oci;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>
/// The manifest of a converted image (docs/store.md): an OCI artifact with the source's unchanged config. Its layers are block CIMs,
/// base first, and the merged CIM last; or forked CIMs, base first.
/// </summary>
internal static class ConvertedManifest
{
    private const string Prefix = ConvertedAnnotations.Prefix;

    /// <summary>The managed back end's root digest: the SHA-256 Merkle tree of a sealed block file (Formats/BlockFile/FORMAT.md).</summary>
    private const string ManagedIntegrityScheme = "cimblock-sha256-v1";

    /// <summary>The root digest that CimSealImage returns; Microsoft does not publish how it is computed.</summary>
    private const string NativeIntegrityScheme = "cimfs-verified";

    /// <summary>The manifest's bytes; the same for the same source image, layer files and merged CIM.</summary>
    /// <param name="source">Descriptor of the source image's manifest.</param>
    /// <param name="config">Descriptor of the source's config.</param>
    /// <param name="layers">Base first; the last one holds the merged CIM of an image with several.</param>
    /// <param name="withSubject">Makes the source's manifest the <c>subject</c>: registries then list this one among its referrers.</param>
    public static byte[] Encode(Descriptor source, Descriptor config, IReadOnlyList<StoredLayer> layers, bool withSubject = false) =>
        ManifestWriter.Write(new ImageManifest
        {
            SchemaVersion = 2,
            ArtifactType = MediaTypes.ConvertedImage,
            Config = Descriptor.Of(config.MediaType, config.Digest, config.Size),
            Layers = [.. layers.SelectMany(Entries), .. MergedEntry(layers)],
            Subject = withSubject ? Descriptor.Of(source.MediaType, source.Digest, source.Size) : null,
            Annotations = Annotations(source),
        });

    /// <summary>The annotations of the whole manifest; a list of referrers repeats them.</summary>
    /// <param name="source">Descriptor of the source image's manifest.</param>
    public static IReadOnlyDictionary<string, string> Annotations(Descriptor source) =>
        new Dictionary<string, string>(StringComparer.Ordinal) { [ConvertedAnnotations.SourceDigest] = source.Digest.ToString() };

    /// <summary>
    /// One entry for a block file, one for each file of a forked CIM. By the title annotation, tools that pull artifacts write the files
    /// of all layers into one directory, which is what Windows mounts. The <c>.cim</c> file comes last, since it makes the rest a CIM.
    /// </summary>
    private static IEnumerable<Descriptor> Entries(StoredLayer layer)
    {
        var record = layer.Record;
        foreach (var file in record.RegionFiles ?? [])
        {
            yield return Descriptor.Of(MediaTypes.ConvertedForkedFile, file.Digest, file.Size) with
            {
                Annotations = new OrderedDictionary<string, string>
                {
                    [ConvertedAnnotations.ChainId] = record.ChainId.ToString(),
                    [ConvertedAnnotations.Title] = file.File,
                },
            };
        }

        var annotations = FileAnnotations(record.Cim, record.Backend);
        annotations[ConvertedAnnotations.SourceDigest] = record.SourceDigest.ToString();
        annotations[Prefix + "diff-id"] = record.DiffId.ToString();
        annotations[ConvertedAnnotations.ChainId] = record.ChainId.ToString();
        if (layer.IsForked)
        {
            annotations[ConvertedAnnotations.Title] = $"{record.ChainId.Hex}.cim";
        }

        yield return Descriptor.Of(layer.IsForked ? MediaTypes.ConvertedForked : MediaTypes.ConvertedLayer, record.Cim.Digest, record.Cim.Size) with
        {
            Annotations = annotations,
        };
    }

    /// <summary>None for an image of one layer, and for forked CIMs.</summary>
    private static IEnumerable<Descriptor> MergedEntry(IReadOnlyList<StoredLayer> layers)
    {
        var top = layers[^1];
        if (layers.Count == 1 || top.IsForked)
        {
            return [];
        }

        var merged = top.Merged ?? throw new InvalidOperationException("the image was not merged");
        var annotations = FileAnnotations(merged, top.Record.Backend);
        annotations[ConvertedAnnotations.ChainId] = top.Record.ChainId.ToString();
        return [Descriptor.Of(MediaTypes.ConvertedMerged, merged.Digest, merged.Size) with { Annotations = annotations }];
    }

    /// <summary>In the order they are written in.</summary>
    private static OrderedDictionary<string, string> FileAnnotations(FileRecord file, string backend)
    {
        var annotations = new OrderedDictionary<string, string>
        {
            [ConvertedAnnotations.Backend] = backend,
            [Prefix + "cim-name"] = file.CimName,
            [ConvertedAnnotations.VhdFooter] = file.VhdFooter ? "true" : "false",
        };
        if (file.IntegrityRoot is { } root)
        {
            annotations[Prefix + "integrity-scheme"] = backend == CimBackends.Managed ? ManagedIntegrityScheme : NativeIntegrityScheme;
            annotations[ConvertedAnnotations.IntegrityRoot] = root;
        }

        return annotations;
    }
}
