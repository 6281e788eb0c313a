using System.Text.Json;
using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>Lists an image's manifests for several platforms (OCI image spec, image-index.md; Docker manifest list).</summary>
internal sealed record ImageIndex
{
    /// <summary>The annotation that names an image in an image layout's index (OCI image spec, annotations.md).</summary>
    public const string RefName = "org.opencontainers.image.ref.name";

    public const int MaxBytes = ImageManifest.MaxBytes;

    /// <summary>The largest indexes of official images have some forty entries.</summary>
    public const int MaxManifests = 1024;

    private const int Schema = 2;
    private const string What = "the index";

    public required int SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    /// <summary>Read only to refuse it; see <see cref="ImageManifest"/>.</summary>
    [JsonInclude]
    [JsonPropertyName("layers")]
    internal JsonElement? Layers { get; init; }

    [JsonInclude]
    [JsonPropertyName("config")]
    internal JsonElement? Config { get; init; }

    /// <param name="bytes">The whole document.</param>
    /// <param name="mediaType">The document's media type according to the registry or descriptor.</param>
    /// <param name="maxBytes">The largest document that is read; the default is for indexes of others.</param>
    /// <param name="maxManifests">The most entries.</param>
    /// <exception cref="InvalidDataException">The index is invalid or unsupported.</exception>
    public static ImageIndex Parse(ReadOnlySpan<byte> bytes, string mediaType, int maxBytes = MaxBytes, int maxManifests = MaxManifests)
    {
        var index = OciJson.Parse(bytes, OciJsonContext.Default.ImageIndex, maxBytes, What);
        index.Validate(mediaType, maxManifests);
        return index;
    }

    private void Validate(string mediaType, int maxManifests)
    {
        DocumentType.Check(What, SchemaVersion, Schema, MediaType, mediaType);
        if (Layers is not null || Config is not null)
        {
            throw new InvalidDataException($"{What} also has a '{(Layers is not null ? "layers" : "config")}' field, which only a manifest may have");
        }

        if (Manifests.Count > maxManifests)
        {
            throw new InvalidDataException($"{What} has {Manifests.Count} entries, more than the {maxManifests} allowed");
        }

        for (var i = 0; i < Manifests.Count; i++)
        {
            DocumentType.RequireEntry(Manifests[i], $"{What}'s entry {i}").Validate($"{What}'s entry {i}");
        }
    }
}
