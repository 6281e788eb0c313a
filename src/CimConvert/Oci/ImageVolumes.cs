using System.Text.Json;

namespace CimConvert.Oci;

/// <summary>The volumes that an image defines (OCI image spec, config.md, <c>config.Volumes</c>).</summary>
internal static class ImageVolumes
{
    /// <param name="config">The image's config, which has been parsed before.</param>
    /// <returns>Their paths in the image; none where the field has another form, which runtimes ignore, too.</returns>
    public static IReadOnlyList<string> Read(ReadOnlyMemory<byte> config)
    {
        using var document = JsonDocument.Parse(config);
        return document.RootElement.TryGetProperty("config", out var settings)
            && settings.ValueKind == JsonValueKind.Object
            && settings.TryGetProperty("Volumes", out var volumes)
            && volumes.ValueKind == JsonValueKind.Object
            ? [.. volumes.EnumerateObject().Select(volume => volume.Name)]
            : [];
    }
}
