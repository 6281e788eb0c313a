using System.Globalization;
using CimConvert.Cims;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Registry.Pull;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>A file of a converted image, as a registry has it.</summary>
/// <param name="Blob">What is downloaded, which may be compressed.</param>
/// <param name="Compression">How it is compressed.</param>
/// <param name="Digest">Of the file itself.</param>
/// <param name="Size">Bytes of the file itself.</param>
/// <param name="Name">The file's path in its layer's folder.</param>
internal sealed record ConvertedFile(Descriptor Blob, LayerCompression Compression, Digest Digest, long Size, string Name);

/// <summary>A layer of a converted image.</summary>
/// <param name="Record">As the store will have it.</param>
/// <param name="Files">Its CIM's file or files, the <c>.cim</c> file last, and the hives that no CIM can be asked for.</param>
/// <param name="Hives">The names of all files in its folder <c>Hives</c>.</param>
internal sealed record ConvertedContentLayer(LayerRecord Record, IReadOnlyList<ConvertedFile> Files, IReadOnlyList<string> Hives);

/// <summary>
/// What the manifest of a converted image says (<see cref="ConvertedManifest"/> writes it). Everything in it is untrusted: chain IDs are
/// computed anew, file names are made here or checked, and digests hold for what is downloaded.
/// </summary>
/// <param name="Manifest">Of the manifest itself.</param>
/// <param name="Source">The digest of the source's manifest.</param>
/// <param name="Subject">The source's manifest, if this one names it as its subject.</param>
/// <param name="Platform">What the source was made for; null if it does not say.</param>
/// <param name="Config">The source's config.</param>
/// <param name="Form">How it was made.</param>
/// <param name="Layers">Base first.</param>
/// <param name="Merged">The merged CIM, whose record is <paramref name="MergedRecord"/>; null for one layer and for forked CIMs.</param>
/// <param name="MergedRecord">As the store will have it.</param>
internal sealed record ConvertedContent(
    Descriptor Manifest,
    Digest Source,
    Descriptor? Subject,
    Platform? Platform,
    Descriptor Config,
    ConvertedForm Form,
    IReadOnlyList<ConvertedContentLayer> Layers,
    ConvertedFile? Merged,
    FileRecord? MergedRecord)
{
    private const string RegionPrefix = "region_";
    private const string ObjectIdPrefix = "objectid_";
    private const int MaxNameLength = 128;

    /// <summary>Regions and object IDs of one forked CIM; its record must stay below what a store reads.</summary>
    private const int MaxFilesOfLayer = 2048;

    /// <summary>Bytes of a file: more is no file, and sums of such could overflow.</summary>
    private const long MaxFileSize = 1L << 48;

    private static readonly string[] s_hiveNames = [.. RegistryHive.All.SelectMany(hive => (string[])[hive.BaseName, hive.DeltaName])];

    /// <exception cref="InvalidDataException">It is no converted image, or one that this version cannot take.</exception>
    public static ConvertedContent Read(FetchedManifest fetched)
    {
        var manifest = ImageManifest.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
        if (!manifest.IsConverted)
        {
            throw new InvalidDataException("it is no converted image");
        }

        if (manifest.Layers.Count == 0 || manifest.Layers[0] is not { MediaType: MediaTypes.ConvertedSourceConfig } config)
        {
            throw new InvalidDataException("an earlier version made it, which left out what 'pull' needs: convert and push it again");
        }

        var layers = new List<ConvertedContentLayer>();
        var files = new List<ConvertedFile>();
        (ConvertedFile File, Descriptor Entry)? merged = null;
        foreach (var entry in manifest.Layers.Skip(1))
        {
            if (merged is not null)
            {
                throw Bad(entry, "follows the merged CIM");
            }

            var (type, compression) = MediaTypes.SplitTransport(entry.MediaType);
            switch (type)
            {
                case MediaTypes.ConvertedForkedFile:
                    files.Add(FileOf(entry, compression, RegionName(entry, TitleOf(entry, compression))));
                    break;
                case MediaTypes.ConvertedHive:
                    files.Add(FileOf(entry, compression, Path.Combine(RegistryHive.Folder, HiveName(entry, TitleOf(entry, compression)))));
                    break;
                case MediaTypes.ConvertedLayer or MediaTypes.ConvertedForked:
                    layers.Add(LayerOf(entry, compression, files, type == MediaTypes.ConvertedForked, layers));
                    files = [];
                    break;
                case MediaTypes.ConvertedMerged:
                    merged = (FileOf(entry, compression, StoreFileNames.Merged(Flag(entry, ConvertedAnnotations.VhdFooter))), entry);
                    break;
                default:
                    throw Bad(entry, $"has the unknown media type '{Printable.Of(entry.MediaType)}'");
            }
        }

        var record = merged is { } found
            ? FileRecordOf(found.Entry, found.File) with { Sources = [.. layers.AsEnumerable().Reverse().Select(layer => layer.Record.Cim.Digest)] }
            : null;
        return new ConvertedContent(
            fetched.Descriptor, DigestOf(manifest), manifest.Subject, ConvertedAnnotations.PlatformOf(manifest.Annotations), config, FormOf(layers, files, record), layers, merged?.File, record);
    }

    private static ConvertedForm FormOf(List<ConvertedContentLayer> layers, List<ConvertedFile> unused, FileRecord? merged)
    {
        if (layers.Count == 0 || unused.Count > 0)
        {
            throw new InvalidDataException("it has no layers, or files that belong to none");
        }

        var form = ConvertedForm.Of(layers[0].Record.Backend, layers[0].Record.RegionFiles is not null, layers[0].Record.Cim);
        if (layers.Any(layer => ConvertedForm.Of(layer.Record.Backend, layer.Record.RegionFiles is not null, layer.Record.Cim) != form)
            || (merged is not null && ConvertedForm.Of(form.Backend, form.Forked, merged) != form))
        {
            throw new InvalidDataException("its files are not all of one form");
        }

        return merged is not null == (layers.Count > 1 && !form.Forked)
            ? form
            : throw new InvalidDataException($"it has {layers.Count} layers and {(merged is null ? "no" : "a")} merged CIM");
    }

    private static ConvertedContentLayer LayerOf(
        Descriptor entry, LayerCompression compression, List<ConvertedFile> files, bool isForked, List<ConvertedContentLayer> below)
    {
        if (below.Count == ImageManifest.MaxLayers || files.Count > MaxFilesOfLayer)
        {
            throw Bad(entry, $"is of more than {ImageManifest.MaxLayers} layers, or of a layer with more than {MaxFilesOfLayer} files");
        }

        var name = isForked ? StoreFileNames.LayerCim : StoreFileNames.Layer(Flag(entry, ConvertedAnnotations.VhdFooter));
        var file = FileOf(entry, compression, name);
        var diffId = new DiffId(Required(entry, ConvertedAnnotations.DiffId));
        var chainId = ChainId.Of(below.Count == 0 ? null : new ChainId(below[^1].Record.ChainId), diffId);
        if (ConvertedAnnotations.ChainIdOf(entry) != chainId)
        {
            throw Bad(entry, $"has another chain ID than that of its diff IDs, {chainId}");
        }

        var hives = HivesOf(entry);
        var record = new LayerRecord
        {
            SourceDigest = Required(entry, ConvertedAnnotations.SourceDigest),
            DiffId = diffId.Digest,
            ChainId = chainId.Digest,
            Parents = [.. below.AsEnumerable().Reverse().Select(layer => layer.Record.ChainId)],
            UncompressedSize = Number(entry, ConvertedAnnotations.TarSize),
            FilesSize = Number(entry, ConvertedAnnotations.FilesSize),
            Cim = FileRecordOf(entry, file),
            RegionFiles = isForked
                ? [.. files.Where(f => !IsHive(f)).Select(f => new RegionFileRecord(f.Name, f.Size, f.Digest))]
                : null,
            Backend = Text(entry, ConvertedAnnotations.Backend) is CimBackends.Managed or CimBackends.Native
                ? Text(entry, ConvertedAnnotations.Backend)
                : throw Bad(entry, "has an unknown back end"),
        };
        if (files.Any(f => isForked == IsHive(f)) || files.Append(file).DistinctBy(f => f.Name).Count() != files.Count + 1)
        {
            throw Bad(entry, "has files of another kind, or two of one name");
        }

        return new ConvertedContentLayer(record, [.. files, file], hives);
    }

    /// <summary>Each at most once, and no changes without the hive that they were merged into: a layer without that is not complete.</summary>
    private static string[] HivesOf(Descriptor entry)
    {
        var names = entry.Annotations?.GetValueOrDefault(ConvertedAnnotations.Hives)?.Split(',', s_hiveNames.Length + 1) ?? [];
        string[] hives = [.. names.Select(name => HiveName(entry, name))];
        return hives.Distinct(StringComparer.Ordinal).Count() == hives.Length
            && RegistryHive.All.All(hive => !hives.Contains(hive.DeltaName) || hives.Contains(hive.BaseName))
            ? hives
            : throw Bad(entry, "names a hive twice, or the changes of one without the hive");
    }

    private static bool IsHive(ConvertedFile file) => Path.GetDirectoryName(file.Name) is { Length: > 0 };

    private static FileRecord FileRecordOf(Descriptor entry, ConvertedFile file)
    {
        var root = entry.Annotations?.GetValueOrDefault(ConvertedAnnotations.IntegrityRoot);
        if (root is not null && (root.Length != Digest.HexLength || !Digest.IsHex(root)))
        {
            throw Bad(entry, "has a root digest that is not 64 hex digits");
        }

        return new FileRecord
        {
            File = file.Name,
            CimName = CimNameOf(entry),
            Size = file.Size,
            Digest = file.Digest,
            VhdFooter = Flag(entry, ConvertedAnnotations.VhdFooter),
            IntegrityRoot = root,
        };
    }

    private static ConvertedFile FileOf(Descriptor entry, LayerCompression compression, string name)
    {
        var file = compression == LayerCompression.None
            ? new ConvertedFile(entry, compression, entry.Digest, entry.Size, name)
            : new ConvertedFile(entry, compression, Required(entry, ConvertedAnnotations.ContentDigest), Number(entry, ConvertedAnnotations.ContentSize), name);
        return Math.Max(file.Size, entry.Size) <= MaxFileSize ? file : throw Bad(entry, "is larger than files are");
    }

    /// <summary>The names that CimFS gives: anything else could be a name with a meaning in the layer's folder.</summary>
    private static string RegionName(Descriptor entry, string name) =>
        name.Length <= MaxNameLength
        && (name.StartsWith(RegionPrefix, StringComparison.Ordinal) || name.StartsWith(ObjectIdPrefix, StringComparison.Ordinal))
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '{' or '}')
            ? name
            : throw Bad(entry, $"is named '{Printable.Of(name)}', which is no region or object ID file");

    private static string HiveName(Descriptor entry, string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return s_hiveNames.Contains(name) ? name : throw Bad(entry, $"names the hive '{Printable.Of(name)}', which there is not");
    }

    private static string CimNameOf(Descriptor entry) => Text(entry, ConvertedAnnotations.CimName) is StoreFileNames.LayerCim or StoreFileNames.MergedCim
        ? Text(entry, ConvertedAnnotations.CimName)
        : throw Bad(entry, "has a CIM of another name than those of layers and merged CIMs");

    private static Digest DigestOf(ImageManifest manifest) =>
        Digest.TryParse(manifest.Annotations?.GetValueOrDefault(ConvertedAnnotations.SourceDigest) ?? string.Empty, out var digest)
            ? digest
            : throw new InvalidDataException("it does not say which image it was made from");

    private static string TitleOf(Descriptor entry, LayerCompression compression)
    {
        var (title, suffix) = (Text(entry, ConvertedAnnotations.Title), ConvertedAnnotations.TitleSuffix(compression));
        return title.EndsWith(suffix, StringComparison.Ordinal) ? title[..^suffix.Length] : throw Bad(entry, $"is compressed, and its title does not end in {suffix}");
    }

    private static bool Flag(Descriptor entry, string key) => Text(entry, key) switch
    {
        "true" => true,
        "false" => false,
        _ => throw Bad(entry, $"has a '{key}' that is neither true nor false"),
    };

    private static long Number(Descriptor entry, string key) =>
        long.TryParse(Text(entry, key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Bad(entry, $"has a '{key}' that is no number");

    private static Digest Required(Descriptor entry, string key) =>
        Digest.TryParse(Text(entry, key), out var digest) ? digest : throw Bad(entry, $"has a '{key}' that is no digest");

    private static string Text(Descriptor entry, string key) =>
        entry.Annotations?.GetValueOrDefault(key) ?? throw Bad(entry, $"has no '{key}'");

    private static InvalidDataException Bad(Descriptor entry, string what) => new($"its file {entry.Digest} {what}");
}
