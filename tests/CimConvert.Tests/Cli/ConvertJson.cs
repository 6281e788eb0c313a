using System.Text.Json;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>The document of <c>convert --json</c>.</summary>
internal static class ConvertJson
{
    public static void AssertShape(JsonElement result)
    {
        Assert.That(Names(result), Is.EqualTo(new[] { "image", "source", "converted", "layers", "merged", "backend", "hives", "pushed", "bytes", "timings" }));
        Assert.That(Names(result.GetProperty("source")), Is.EqualTo(new[] { "digest", "mediaType", "platform", "alternatives" }));
        Assert.That(Names(result.GetProperty("converted")), Is.EqualTo(new[] { "digest", "mediaType", "size" }));
        Assert.That(Names(result.GetProperty("bytes")), Is.EqualTo(new[] { "downloaded", "decompressed", "written" }));
        foreach (var layer in result.GetProperty("layers").EnumerateArray())
        {
            Assert.That(Names(layer), Is.EqualTo(new[] { "source", "diffId", "chainId", "path", "size", "reused", "integrity" }));
        }

        var pushed = result.GetProperty("pushed");
        if (pushed.ValueKind != JsonValueKind.Null)
        {
            Assert.That(Names(pushed), Is.EqualTo(new[] { "reference", "digest", "uploaded", "skipped", "mounted", "bytes" }));
        }

        var merged = result.GetProperty("merged");
        if (merged.ValueKind != JsonValueKind.Null)
        {
            Assert.That(Names(merged), Is.EqualTo(new[] { "path", "size", "integrity" }));
        }
    }

    public static IReadOnlyList<string> LayerPaths(this JsonElement result) =>
        [.. result.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("path").GetString()!)];

    public static IReadOnlyList<bool> Reused(this JsonElement result) =>
        [.. result.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("reused").GetBoolean())];

    public static string MergedPath(this JsonElement result) => result.GetProperty("merged").GetProperty("path").GetString()!;

    public static IReadOnlyList<string> Names(JsonElement element) => [.. element.EnumerateObject().Select(property => property.Name)];
}
