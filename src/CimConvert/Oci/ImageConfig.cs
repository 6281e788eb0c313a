using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>The fields of an image config that the conversion needs (OCI image spec, config.md).</summary>
internal sealed record ImageConfig
{
    /// <summary>The spec sets no limit. Long histories make large configs; the largest known ones are below 1 MiB.</summary>
    public const int MaxBytes = 8 << 20;

    private const string What = "the image config";

    /// <summary>Characters of <c>2026-01-31</c>.</summary>
    private const int DateLength = 10;

    public required string Os { get; init; }

    public required string Architecture { get; init; }

    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    [JsonPropertyName("rootfs")]
    public required RootFileSystem RootFs { get; init; }

    /// <summary>When the image was made, as RFC 3339 has it; null if it does not say.</summary>
    [JsonIgnore]
    public string? Created => CreatedField is { ValueKind: JsonValueKind.String } created
        && created.GetString() is { Length: > DateLength } text
        && text[DateLength] == 'T'
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
        ? text
        : null;

    /// <summary>Whatever it is: a wrong time is no reason to refuse an image.</summary>
    [JsonInclude]
    [JsonPropertyName("created")]
    internal JsonElement? CreatedField { get; init; }

    [JsonIgnore]
    public Platform Platform => new()
    {
        Os = Os,
        Architecture = Architecture,
        Variant = Variant,
        OsVersion = OsVersion,
        OsFeatures = OsFeatures,
    };

    /// <summary>The layers' diff IDs, base layer first, one for each layer of the manifest.</summary>
    [JsonIgnore]
    public IReadOnlyList<DiffId> DiffIds { get; private set; } = [];

    /// <param name="bytes">The whole document.</param>
    /// <param name="layerCount">Number of layers in the image's manifest.</param>
    /// <exception cref="InvalidDataException">The config is invalid or unsupported, or does not match the manifest.</exception>
    public static ImageConfig Parse(ReadOnlySpan<byte> bytes, int layerCount)
    {
        var config = OciJson.Parse(bytes, OciJsonContext.Default.ImageConfig, MaxBytes, What);
        if (config.RootFs.Type is not "layers")
        {
            throw new InvalidDataException($"{What} has rootfs type '{Printable.Of(config.RootFs.Type)}'; only 'layers' is defined");
        }

        if (config.RootFs.DiffIds.Count != layerCount)
        {
            throw new InvalidDataException($"{What} lists {config.RootFs.DiffIds.Count} diff IDs, but the manifest has {layerCount} layers");
        }

        config.DiffIds = [.. config.RootFs.DiffIds.Select(digest => new DiffId(digest))];
        return config;
    }

    /// <summary>The <c>rootfs</c> field.</summary>
    public sealed record RootFileSystem
    {
        public required string Type { get; init; }

        [JsonPropertyName("diff_ids")]
        public required IReadOnlyList<Digest> DiffIds { get; init; }
    }
}
