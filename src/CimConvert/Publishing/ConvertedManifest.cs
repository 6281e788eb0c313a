using System.Globalization;
using CimConvert.Cims;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>
/// The manifest of a converted image (docs/store.md): an OCI artifact. It has an entry for the source's config and one for each file, base
/// layer first, and the merged CIM last. <see cref="ConvertedContent"/> reads it.
/// </summary>
internal static class ConvertedManifest
{
    /// <summary>The file name of the source's config, for tools that pull artifacts.</summary>
    private const string ConfigTitle = "config.json";

    /// <summary>The managed back end's root digest: the SHA-256 Merkle tree of a sealed block file (Formats/BlockFile/FORMAT.md).</summary>
    private const string ManagedIntegrityScheme = "cimblock-sha256-v1";

    /// <summary>The root digest that CimSealImage returns; Microsoft does not publish how it is computed.</summary>
    private const string NativeIntegrityScheme = "cimfs-verified";

    /// <summary>The config of an artifact that has none.</summary>
    public static ReadOnlyMemory<byte> EmptyConfig { get; } = "{}"u8.ToArray();

    /// <summary>The manifest's bytes; the same for the same source image, layer files and merged CIM.</summary>
    /// <param name="image">The source image.</param>
    /// <param name="layers">Base first; the last one holds the merged CIM of an image with several.</param>
    /// <param name="withSubject">Makes the source's manifest the <c>subject</c>: registries then list this one among its referrers.</param>
    public static byte[] Encode(ResolvedImage image, IReadOnlyList<StoredLayer> layers, bool withSubject = false)
    {
        var source = image.ManifestDescriptor;
        return ManifestWriter.Write(new ImageManifest
        {
            SchemaVersion = 2,
            ArtifactType = MediaTypes.ConvertedImage,
            Config = Descriptor.Of(MediaTypes.OciEmpty, EmptyConfig.Span),
            Layers = [SourceConfig(image), .. layers.SelectMany(Entries), .. MergedEntry(layers)],
            Subject = withSubject ? Descriptor.Of(source.MediaType, source.Digest, source.Size) : null,
            Annotations = Annotations(image),
        });
    }

    /// <summary>
    /// The hives of a layer that have to travel as files. Those of the managed back end are taken out of its CIM again; Windows' own block
    /// files can only be read by Windows.
    /// </summary>
    public static IEnumerable<(string Path, Digest Digest, long Size)> HivesToShip(StoredLayer layer) =>
        layer.Record.Backend == CimBackends.Managed || layer.IsForked
            ? []
            : layer.HiveFiles.Select(path => (path, StoredLayer.DigestOf(path, CancellationToken.None), new FileInfo(path).Length));

    private static Descriptor SourceConfig(ResolvedImage image) =>
        Titled(Descriptor.Of(MediaTypes.ConvertedSourceConfig, image.ConfigBytes.Span), [], ConfigTitle);

    private static OrderedDictionary<string, string> Annotations(ResolvedImage image)
    {
        var platform = image.Platform;
        var annotations = new OrderedDictionary<string, string>();
        if (image.Config.Created is { } created)
        {
            annotations[ConvertedAnnotations.Created] = created;
        }

        annotations[ConvertedAnnotations.Platform] = (platform with { OsVersion = null }).ToString();
        if (platform.OsVersion is { } version)
        {
            annotations[ConvertedAnnotations.OsVersion] = version;
        }

        annotations[ConvertedAnnotations.SourceDigest] = image.ManifestDescriptor.Digest.ToString();
        return annotations;
    }

    /// <summary>
    /// One entry for a block file, one for each file of a forked CIM, whose <c>.cim</c> file comes last, since it makes the rest a CIM. Tools
    /// that pull artifacts write each file under its title. Those of forked CIMs go into one folder, which is what Windows mounts; those of
    /// block CIMs into one for each layer, as in a store.
    /// </summary>
    private static IEnumerable<Descriptor> Entries(StoredLayer layer)
    {
        var record = layer.Record;
        var chainId = record.ChainId;
        foreach (var file in record.RegionFiles ?? [])
        {
            yield return Titled(Descriptor.Of(MediaTypes.ConvertedForkedFile, file.Digest, file.Size), OfLayer(chainId), file.File);
        }

        foreach (var (path, digest, size) in HivesToShip(layer))
        {
            yield return Titled(
                Descriptor.Of(MediaTypes.ConvertedHive, digest, size), OfLayer(chainId), $"{chainId.Hex}/{RegistryHive.Folder}/{Path.GetFileName(path)}");
        }

        var annotations = FileAnnotations(record.Cim, record.Backend);
        annotations[ConvertedAnnotations.SourceDigest] = record.SourceDigest.ToString();
        annotations[ConvertedAnnotations.DiffId] = record.DiffId.ToString();
        annotations[ConvertedAnnotations.ChainId] = chainId.ToString();
        annotations[ConvertedAnnotations.TarSize] = record.UncompressedSize.ToString(CultureInfo.InvariantCulture);
        annotations[ConvertedAnnotations.FilesSize] = record.FilesSize.ToString(CultureInfo.InvariantCulture);
        if (string.Join(',', layer.HiveFiles.Select(Path.GetFileName)) is { Length: > 0 } hives)
        {
            annotations[ConvertedAnnotations.Hives] = hives;
        }

        yield return Titled(
            Descriptor.Of(layer.IsForked ? MediaTypes.ConvertedForked : MediaTypes.ConvertedLayer, record.Cim.Digest, record.Cim.Size),
            annotations,
            layer.IsForked ? $"{chainId.Hex}.cim" : $"{chainId.Hex}/{record.Cim.File}");
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
        return [Titled(Descriptor.Of(MediaTypes.ConvertedMerged, merged.Digest, merged.Size), annotations, $"{top.ChainId.Hex}/{merged.File}")];
    }

    /// <summary>In the order they are written in.</summary>
    private static OrderedDictionary<string, string> FileAnnotations(FileRecord file, string backend)
    {
        var annotations = new OrderedDictionary<string, string>
        {
            [ConvertedAnnotations.Backend] = backend,
            [ConvertedAnnotations.CimName] = file.CimName,
            [ConvertedAnnotations.VhdFooter] = file.VhdFooter ? "true" : "false",
        };
        if (file.IntegrityRoot is { } root)
        {
            annotations[ConvertedAnnotations.IntegrityScheme] = backend == CimBackends.Managed ? ManagedIntegrityScheme : NativeIntegrityScheme;
            annotations[ConvertedAnnotations.IntegrityRoot] = root;
        }

        return annotations;
    }

    private static OrderedDictionary<string, string> OfLayer(Digest chainId) => new() { [ConvertedAnnotations.ChainId] = chainId.ToString() };

    private static Descriptor Titled(Descriptor file, OrderedDictionary<string, string> annotations, string title)
    {
        annotations[ConvertedAnnotations.Title] = title;
        return file with { Annotations = annotations };
    }
}
