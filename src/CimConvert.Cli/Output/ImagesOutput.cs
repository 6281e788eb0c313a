using System.Globalization;
using System.Text.Json;
using CimConvert.Oci;
using CimConvert.Store;
using Spectre.Console;

namespace CimConvert.Cli.Output;

/// <summary>The images of a store, as JSON (docs/cli.md) and as a table.</summary>
internal static class ImagesOutput
{
    private const int DigestLength = 12;

    /// <param name="images">All images of the store.</param>
    /// <param name="registered">Those that a containerd has; null if none was asked.</param>
    public static void WriteJson(IReadOnlyList<ListedImage> images, IReadOnlySet<IndexedImage>? registered) => JsonOutput.WriteDocument(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("images");
        foreach (var image in images)
        {
            json.WriteStartObject();
            json.WriteString("reference", image.Indexed.Reference);
            WritePlatform(json, image.Indexed.Manifest.Platform);
            json.WriteString("digest", image.Indexed.Manifest.Digest.ToString());
            if (image.Details is { } details)
            {
                WriteDetails(json, details);
            }

            if (registered is not null)
            {
                json.WriteBoolean("registered", registered.Contains(image.Indexed));
            }

            json.WriteString("error", image.Problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <inheritdoc cref="WriteJson"/>
    public static void WriteTable(IReadOnlyList<ListedImage> images, IReadOnlySet<IndexedImage>? registered)
    {
        string[] columns = ["image", "platform", "manifest", "size", "own", "shared", "back end", "form", "last use"];
        var table = Tables.WithColumns(registered is null ? columns : [.. columns, "in containerd"]);
        foreach (var image in images)
        {
            var details = image.Details;
            string[] cells =
            [
                image.Indexed.Reference,
                image.Indexed.Manifest.Platform?.ToString() ?? string.Empty,
                image.Indexed.Manifest.Digest.Hex[..DigestLength],
                details is null ? string.Empty : Sizes.Of(details.Size),
                details is null ? string.Empty : Sizes.Of(details.Own),
                details is null ? string.Empty : Sizes.Of(details.Shared),
                details?.Backend ?? string.Empty,
                details is null ? "broken" : FormOf(details),
                details is null ? string.Empty : TimeOf(details),
            ];
            string[] all = registered is null ? cells : [.. cells, registered.Contains(image.Indexed) ? "yes" : "no"];
            table.AddRow([.. all.Select(cell => Markup.Escape(OneLine.Of(cell)))]);
        }

        Tables.Draw(table);
        Console.WriteLine($"{images.Count} images");
    }

    private static void WritePlatform(Utf8JsonWriter json, Platform? platform)
    {
        if (platform is null)
        {
            json.WriteNull("platform");
            return;
        }

        json.WriteStartObject("platform");
        json.WriteString("os", platform.Os);
        json.WriteString("architecture", platform.Architecture);
        json.WriteString("variant", platform.Variant);
        json.WriteString("osVersion", platform.OsVersion);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, ListedDetails details)
    {
        json.WriteString("source", details.Source?.ToString());
        json.WriteNumber("size", details.Size);
        json.WriteNumber("own", details.Own);
        json.WriteNumber("shared", details.Shared);
        json.WriteString("backend", details.Backend);
        json.WriteString("format", details.IsForked ? "forked" : "block");
        json.WriteBoolean("sealed", details.IsSealed);
        json.WriteBoolean("vhdFooter", details.HasVhdFooter);
        json.WriteString("lastUsed", TimeOf(details));
    }

    /// <summary>RFC 3339, in UTC.</summary>
    private static string TimeOf(ListedDetails details) => details.LastUsed.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string FormOf(ListedDetails details) =>
        (details.IsForked ? "forked" : "block") + (details.IsSealed ? ", sealed" : string.Empty) + (details.HasVhdFooter ? ", VHD footer" : string.Empty);
}
