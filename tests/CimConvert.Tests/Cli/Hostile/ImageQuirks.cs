using System.Text.Json.Nodes;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Gzip;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>What can be wrong with a layer's blob, with what describes it, and with the manifest and the config.</summary>
internal static class ImageQuirks
{
    private const string Zeros = "0000000000000000000000000000000000000000000000000000000000000000";
    private const string Plain = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>A frame that asks for a window of 2 EiB (RFC 8878, 3.1.1.1.2).</summary>
    private static readonly byte[] s_giantWindow = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 1, 0, 0];

    public static IReadOnlyList<Quirk> All { get; } =
    [
        // The blob.
        Blob("gzip cut short", blob => blob[..(blob.Length / 2)], "gzip"),
        Blob("gzip without its trailer", blob => blob[..^Math.Min(8, blob.Length)], "gzip"),
        Blob("gzip with a wrong checksum", blob => [.. blob[..^Math.Min(8, blob.Length)], .. new byte[8]], "gzip"),
        Blob("garbage behind the gzip", blob => [.. blob, 1, 2, 3], "gzip"),
        Blob("another member behind the gzip", blob => [.. blob, .. GzipFiles.Empty], null),
        Blob("another member of more bytes", blob => [.. blob, .. HostileImage.Gzip(new byte[512])], "diff ID"),
        Blob("blob of nothing", _ => [], "gzip"),
        Blob("blob that is no gzip", _ => SeededContent.Bytes(1, 3000), "gzip"),
        Blob("blob that is another's", blob => HostileImage.Gzip(SeededContent.Bytes(2, 2048)), "tar header"),
        new("two gzip members", i => i.Compress = tar => [.. HostileImage.Gzip(tar[..(tar.Length / 3)]), .. HostileImage.Gzip(tar[(tar.Length / 3)..])]),

        // What describes it.
        Described("digest of other content", d => d["digest"] = "sha256:" + Zeros, "does not exist"),
        Described("one byte too many", d => d["size"] = d["size"]!.GetValue<int>() + 1, "bytes"),
        Described("one byte too few", d => d["size"] = d["size"]!.GetValue<int>() - 1, "bytes"),
        Described("size of an exbibyte", d => d["size"] = 1L << 60, "bytes"),
        Described("size of zero", d => d["size"] = 0, "bytes"),
        Described("negative size of a layer", d => d["size"] = -1, "size", Names.Image),
        Described("size that is text", d => d["size"] = "12", "$.layers[1].size", Names.Image),
        Described("size with a fraction", d => d["size"] = 1.5, "$.layers[1].size", Names.Image),
        Described("unknown digest algorithm", d => d["digest"] = "sha512:" + Zeros + Zeros, "sha512", Names.Image),
        Described("digest with a path in it", d => d["digest"] = "sha256:../../../../etc/passwd", "where 64 hex digits belong", Names.Image),
        Described("digest in upper case", d => d["digest"] = d["digest"]!.GetValue<string>().ToUpperInvariant(), "only sha256", Names.Image),
        Described("no digest", d => d.Remove("digest"), "digest", Names.Image),
        Described("media type of zstd", d => d["mediaType"] = Plain + "+zstd", "zstd"),
        Described("media type of a plain tar", d => d["mediaType"] = Plain, "diff ID"),
        Described("media type nobody knows", d => d["mediaType"] = "text/plain", "text/plain", Names.Image),
        Described("media type that is a number", d => d["mediaType"] = 1, "$.layers[1].mediaType", Names.Image),
        Described("foreign layer at a file", d =>
        {
            d["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
            d["urls"] = new JsonArray("file:///etc/passwd");
        }, null),
        new("zstd of a giant window", i =>
        {
            i.Compress = _ => s_giantWindow;
            i.DescriptorChanges.Add(d => d["mediaType"] = Plain + "+zstd");
        }, "zstd", Names.Layer),

        // The manifest.
        Manifest("no layers", m => m["layers"] = new JsonArray(), "0 layers"),
        Manifest("layers that are null", m => m["layers"] = null, "$.layers"),
        Manifest("a layer that is null", m => m["layers"]!.AsArray().Add(null), "layer 2 is null"),
        Manifest("layers that are text", m => m["layers"] = "all", "$.layers"),
        Manifest("600 layers", m => Repeat(m["layers"]!.AsArray(), 600), "512"),
        Manifest("one layer more than the config has", m => Repeat(m["layers"]!.AsArray(), 3), "3 layers"),
        Manifest("no config", m => m.Remove("config"), "config"),
        Manifest("config of another digest", m => m["config"]!["digest"] = "sha256:" + Zeros, "does not exist"),
        Manifest("config of another size", m => m["config"]!["size"] = 5, "descriptor says 5"),
        Manifest("config of a gibibyte", m => m["config"]!["size"] = 1 << 30, "more than the 8388608 allowed"),
        Manifest("schema version 1", m => m["schemaVersion"] = 1, "schemaVersion 1"),
        Manifest("schema version of text", m => m["schemaVersion"] = "2", "$.schemaVersion"),
        Manifest("manifest that says it is an index", m => m["mediaType"] = "application/vnd.oci.image.index.v1+json", "says it is"),
        Manifest("manifest with an index's entries", m => m["manifests"] = new JsonArray(), "'manifests'"),
        Manifest("annotations that are numbers", m => m["annotations"] = new JsonObject { ["a"] = 1 }, "$.annotations"),
        Manifest("subject that is nothing", m => m["subject"] = new JsonObject(), "$.subject"),
        Text("manifest cut short", text => text[..(text.Length * 3 / 4)], "cannot be read"),
        Text("manifest that is null", _ => "null", "null"),
        Text("manifest that is a list", _ => "[]", "cannot be read"),
        Text("layers named twice", text => text[..^1] + ",\"layers\":[]}", "Duplicate"),
        Text("nested 10,000 deep", text => text[..^1] + ",\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "}", "depth"),
        Text("number beyond all", text => text.Replace("\"schemaVersion\":2", "\"schemaVersion\":1e999", StringComparison.Ordinal), "$.schemaVersion"),
        Text("manifest of five megabytes", text => text[..^1] + ",\"x\":\"" + new string('x', 5 << 20) + "\"}", "more than the 4194304 allowed"),
        Text("comment in the manifest", text => "/* */" + text, "cannot be read"),

        // The config.
        Config("no diff IDs", c => c["rootfs"]!.AsObject().Remove("diff_ids"), "diff_ids"),
        Config("a diff ID too few", c => c["rootfs"]!["diff_ids"]!.AsArray().RemoveAt(1), "1 diff IDs"),
        Config("a diff ID too many", c => c["rootfs"]!["diff_ids"]!.AsArray().Add("sha256:" + Zeros), "3 diff IDs"),
        Config("diff ID of another tar", c => c["rootfs"]!["diff_ids"]![1] = "sha256:" + Zeros, "diff ID", Names.Layer),
        Config("diff ID that is null", c => c["rootfs"]!["diff_ids"]![1] = null, "$.rootfs.diff_ids[1]"),
        Config("diff IDs in the wrong order", c => c["rootfs"]!["diff_ids"]!.AsArray().Insert(0, c["rootfs"]!["diff_ids"]![1]!.DeepClone()), "3 diff IDs"),
        Config("file system of another type", c => c["rootfs"]!["type"] = "blocks", "blocks"),
        Config("no file system", c => c.Remove("rootfs"), "rootfs"),
        Config("Linux", c => c["os"] = "linux", "linux"),
        Config("operating system that is null", c => c["os"] = null, "$.os"),
        Config("version with a newline", c => c["os.version"] = "10.0\n", "os.version"),
        new("config that is no JSON", i => i.ConfigTextChanges.Add(_ => "no JSON"), "cannot be read", Names.Image),
        new("config named twice", i => i.ConfigTextChanges.Add(text => text[..^1] + ",\"os\":\"linux\"}"), "Duplicate", Names.Image),
    ];

    private static Quirk Blob(string name, Func<byte[], byte[]> change, string? refusal) => new(name, i => i.BlobChanges.Add(change), refusal, Names.Layer);

    private static Quirk Described(string name, Action<JsonObject> change, string? refusal, Names where = Names.Layer) =>
        new(name, i => i.DescriptorChanges.Add(change), refusal, where);

    private static Quirk Manifest(string name, Action<JsonObject> change, string? refusal) => new(name, i => i.ManifestChanges.Add(change), refusal, Names.Image);

    private static Quirk Text(string name, Func<string, string> change, string? refusal) => new(name, i => i.ManifestTextChanges.Add(change), refusal, Names.Image);

    private static Quirk Config(string name, Action<JsonObject> change, string? refusal, Names where = Names.Image) =>
        new(name, i => i.ConfigChanges.Add(change), refusal, where);

    private static void Repeat(JsonArray layers, int count)
    {
        while (layers.Count < count)
        {
            layers.Add(layers[^1]!.DeepClone());
        }
    }
}
