using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CimConvert.Oci;

/// <summary>
/// Writes manifests, indexes and their descriptors. The order of fields is fixed, and nothing but the content decides on the bytes:
/// equal content has an equal digest.
/// </summary>
internal static class ManifestWriter
{
    private const int SchemaVersion = 2;

    /// <summary>Without escapes for HTML: media types keep their '+'.</summary>
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions s_indented = new(s_compact) { WriteIndented = true, NewLine = "\n" };

    /// <summary>An OCI image manifest (image spec, manifest.md).</summary>
    /// <param name="manifest">Its annotations, and those of its descriptors, are written in the order they are enumerated in.</param>
    public static byte[] Write(ImageManifest manifest)
    {
        var document = new JsonObject
        {
            ["schemaVersion"] = SchemaVersion,
            ["mediaType"] = MediaTypes.OciManifest,
        };
        Add(document, "artifactType", manifest.ArtifactType);
        document["config"] = Node(manifest.Config);
        document["layers"] = Array(manifest.Layers);
        Add(document, "subject", manifest.Subject is { } subject ? Node(subject) : null);
        Add(document, "annotations", Annotations(manifest.Annotations));
        return Write(document);
    }

    /// <summary>
    /// A Docker manifest (distribution, manifest schema 2), with JSON escapes and in the order of fields that all earlier versions
    /// wrote: the digest of a docker-archive's manifest is made of these bytes.
    /// </summary>
    public static byte[] WriteDocker(Descriptor config, IEnumerable<Descriptor> layers)
    {
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = SchemaVersion,
            ["mediaType"] = MediaTypes.DockerManifest,
            ["config"] = DockerNode(config),
            ["layers"] = new JsonArray([.. layers.Select(DockerNode)]),
        }.ToJsonString());

        static JsonObject DockerNode(Descriptor descriptor) => new()
        {
            ["mediaType"] = descriptor.MediaType,
            ["size"] = descriptor.Size,
            ["digest"] = descriptor.Digest.ToString(),
        };
    }

    /// <summary>An OCI image index (image spec, image-index.md).</summary>
    public static JsonObject Index(IEnumerable<Descriptor> manifests) => new()
    {
        ["schemaVersion"] = SchemaVersion,
        ["mediaType"] = MediaTypes.OciIndex,
        ["manifests"] = Array(manifests),
    };

    /// <summary>A descriptor (image spec, descriptor.md); fields that are null are left out.</summary>
    public static JsonObject Node(Descriptor descriptor)
    {
        var node = new JsonObject
        {
            ["mediaType"] = descriptor.MediaType,
            ["digest"] = descriptor.Digest.ToString(),
            ["size"] = descriptor.Size,
        };
        Add(node, "urls", descriptor.Urls is { } urls ? new JsonArray([.. urls.Select(url => (JsonNode)url)]) : null);
        Add(node, "artifactType", descriptor.ArtifactType);
        Add(node, "platform", descriptor.Platform is { } platform ? Node(platform) : null);
        Add(node, "annotations", Annotations(descriptor.Annotations));
        return node;
    }

    public static byte[] Write(JsonObject document, bool indented = false) => Encoding.UTF8.GetBytes(document.ToJsonString(indented ? s_indented : s_compact));

    private static JsonArray Array(IEnumerable<Descriptor> descriptors) => new([.. descriptors.Select(Node)]);

    private static JsonObject Node(Platform platform)
    {
        var node = new JsonObject { ["architecture"] = platform.Architecture, ["os"] = platform.Os };
        Add(node, "os.version", platform.OsVersion);
        Add(node, "variant", string.IsNullOrEmpty(platform.Variant) ? null : platform.Variant);
        return node;
    }

    private static JsonObject? Annotations(IReadOnlyDictionary<string, string>? annotations) =>
        annotations is null ? null : new JsonObject(annotations.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value)));

    private static void Add(JsonObject node, string name, JsonNode? value)
    {
        if (value is not null)
        {
            node[name] = value;
        }
    }
}
