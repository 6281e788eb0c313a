using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CimConvert.Oci;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>
/// The manifest of a converted image: an OCI artifact whose config is the source's, unchanged, and whose layers are block CIMs,
/// base first, the merged CIM last; or forked CIMs, base first.
/// </summary>
internal static class ConvertedManifest
{
    private const string Prefix = ConvertedAnnotations.Prefix;

    /// <summary>How integrity roots are computed: the container's SHA-256 Merkle tree (Formats/BlockFile/FORMAT.md).</summary>
    private const string ManagedIntegrityScheme = "cimblock-sha256-v1";

    /// <summary>The root digest that CimSealImage gives, by a scheme that Windows does not publish.</summary>
    private const string NativeIntegrityScheme = "cimfs-verified";

    private const string ManagedBackend = "managed";

    /// <summary>Media types keep their '+'.</summary>
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The manifest's bytes: the same for the same image, layer files and merged CIM.</summary>
    /// <param name="source">Descriptor of the source image's manifest.</param>
    /// <param name="config">Descriptor of the source's config.</param>
    /// <param name="layers">Base first; the last one holds the merged CIM of an image with several.</param>
    /// <param name="withSubject">The manifest says that it refers to the source's: registries then list it there.</param>
    public static byte[] Encode(Descriptor source, Descriptor config, IReadOnlyList<StoredLayer> layers, bool withSubject = false)
    {
        var entries = new JsonArray();
        foreach (var layer in layers)
        {
            var annotations = FileAnnotations(layer.Record.Image, layer.Record.Backend);
            annotations[ConvertedAnnotations.SourceDigest] = layer.Record.SourceDigest.ToString();
            annotations[Prefix + "diff-id"] = layer.Record.DiffId.ToString();
            annotations[ConvertedAnnotations.ChainId] = layer.Record.ChainId.ToString();
            if (layer.Record.CimFiles is null)
            {
                entries.Add((JsonNode)Entry(MediaTypes.ConvertedLayer, layer.Record.Image, annotations));
            }
            else
            {
                AddForked(entries, layer, annotations);
            }
        }

        var top = layers[^1];
        if (layers.Count > 1 && !top.IsForked)
        {
            var merged = top.Merged ?? throw new InvalidOperationException("the image was not merged");
            var annotations = FileAnnotations(merged, top.Record.Backend);
            annotations[ConvertedAnnotations.ChainId] = top.Record.ChainId.ToString();
            entries.Add((JsonNode)Entry(MediaTypes.ConvertedMerged, merged, annotations));
        }

        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = MediaTypes.ConvertedImage,
            ["config"] = Reference(config),
            ["layers"] = entries,
        };
        if (withSubject)
        {
            manifest["subject"] = Reference(source);
        }

        manifest["annotations"] = new JsonObject(Annotations(source).Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value)));
        return Encoding.UTF8.GetBytes(manifest.ToJsonString(s_compact));
    }

    /// <summary>What the manifest as a whole is annotated with, which a list of referrers repeats.</summary>
    /// <param name="source">Descriptor of the source image's manifest.</param>
    public static IReadOnlyDictionary<string, string> Annotations(Descriptor source) =>
        new Dictionary<string, string>(StringComparer.Ordinal) { [ConvertedAnnotations.SourceDigest] = source.Digest.ToString() };

    private static JsonObject Reference(Descriptor descriptor) => new()
    {
        ["mediaType"] = descriptor.MediaType,
        ["digest"] = descriptor.Digest.ToString(),
        ["size"] = descriptor.Size,
    };

    /// <summary>
    /// A forked CIM is several files, and one entry for each. By their titles, tools that pull artifacts put the files of all layers
    /// into one directory, which is what Windows mounts. The <c>.cim</c> comes last, as it makes the rest a CIM.
    /// </summary>
    private static void AddForked(JsonArray entries, StoredLayer layer, JsonObject annotations)
    {
        foreach (var file in layer.Record.CimFiles!)
        {
            entries.Add((JsonNode)new JsonObject
            {
                ["mediaType"] = MediaTypes.ConvertedForkedFile,
                ["digest"] = file.Digest.ToString(),
                ["size"] = file.Size,
                ["annotations"] = new JsonObject
                {
                    [ConvertedAnnotations.ChainId] = layer.Record.ChainId.ToString(),
                    [ConvertedAnnotations.Title] = file.File,
                },
            });
        }

        annotations[ConvertedAnnotations.Title] = $"{layer.Record.ChainId.Hex}.cim";
        entries.Add((JsonNode)Entry(MediaTypes.ConvertedForked, layer.Record.Image, annotations));
    }

    private static JsonObject FileAnnotations(FileRecord file, string backend)
    {
        var annotations = new JsonObject
        {
            [ConvertedAnnotations.Backend] = backend,
            [Prefix + "cim-name"] = file.CimName,
            [ConvertedAnnotations.VhdFooter] = file.VhdFooter.ToString(CultureInfo.InvariantCulture).ToLowerInvariant(),
        };
        if (file.IntegrityRoot is { } root)
        {
            annotations[Prefix + "integrity-scheme"] = backend == ManagedBackend ? ManagedIntegrityScheme : NativeIntegrityScheme;
            annotations[ConvertedAnnotations.IntegrityRoot] = root;
        }

        return annotations;
    }

    private static JsonObject Entry(string mediaType, FileRecord file, JsonObject annotations) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = file.Digest.ToString(),
        ["size"] = file.Size,
        ["annotations"] = annotations,
    };
}
