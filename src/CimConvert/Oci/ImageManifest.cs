using System.Text.Json;
using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>An image's config and layers, base layer first (OCI image spec, manifest.md; Docker manifest schema 2).</summary>
internal sealed record ImageManifest
{
    /// <summary>Registries accept at least 4 MiB (OCI distribution spec, "Pushing Manifests"); containerd reads no more.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Windows supports about 128; this limit only bounds what a hostile manifest can demand.</summary>
    public const int MaxLayers = 512;

    /// <summary>
    /// A converted image has an entry for each file: for a forked CIM some six, for a native one up to ten hives. <see cref="MaxBytes"/> is
    /// reached before this.
    /// </summary>
    public const int MaxConvertedFiles = 16_384;

    private const int Schema = 2;
    private const string What = "the manifest";

    public required int SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The manifest that this one refers to; registries list this one among its referrers.</summary>
    public Descriptor? Subject { get; init; }

    public required Descriptor Config { get; init; }

    public required IReadOnlyList<Descriptor> Layers { get; init; }

    /// <summary>Whether it is the manifest of a converted image: an artifact of this program.</summary>
    [JsonIgnore]
    public bool IsConverted => ArtifactType == MediaTypes.ConvertedImage;

    /// <summary>Read only to refuse it; see <see cref="Validate"/>.</summary>
    [JsonInclude]
    [JsonPropertyName("manifests")]
    internal JsonElement? Manifests { get; init; }

    /// <param name="bytes">The whole document.</param>
    /// <param name="mediaType">The document's media type according to the registry or descriptor.</param>
    /// <exception cref="InvalidDataException">The manifest is invalid or unsupported.</exception>
    public static ImageManifest Parse(ReadOnlySpan<byte> bytes, string mediaType)
    {
        var manifest = OciJson.Parse(bytes, OciJsonContext.Default.ImageManifest, MaxBytes, What);
        manifest.Validate(mediaType);
        return manifest;
    }

    private void Validate(string mediaType)
    {
        DocumentType.Check(What, SchemaVersion, Schema, MediaType, mediaType);

        // github.com/advisories/GHSA-77vh-xpmg-72qh: a document with both fields could be a different image to different readers.
        if (Manifests is not null)
        {
            throw new InvalidDataException($"{What} also has a 'manifests' field, which only an index may have");
        }

        Config.Validate($"{What}'s config");
        if (!MediaTypes.IsConfig(Config.MediaType) && !(IsConverted && Config.MediaType == MediaTypes.OciEmpty))
        {
            throw new InvalidDataException($"{What} is no container image: its config is of type '{Printable.Of(Config.MediaType)}'");
        }

        var most = IsConverted ? MaxConvertedFiles : MaxLayers;
        if (Layers.Count > most)
        {
            throw new InvalidDataException($"{What} has {Layers.Count} layers, more than the {most} allowed");
        }

        for (var i = 0; i < Layers.Count; i++)
        {
            DocumentType.RequireEntry(Layers[i], $"{What}'s layer {i}").Validate($"{What}'s layer {i}");
        }
    }
}
