using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CimConvert.TestKit.Images;
using TarBuilder = CimConvert.Tests.Formats.Tar.TarBuilder;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>
/// An image of a sound base layer and one more layer, of which quirks change what they like, from the tar's entries to the
/// manifest's text. What is not changed follows: digests and sizes are right but for those that a quirk makes wrong.
/// </summary>
internal sealed class HostileImage
{
    private static readonly byte[] s_base = WindowsImage.SmallBase().ToArray();
    private static readonly byte[] s_baseBlob = Gzip(s_base);

    /// <summary>The upper layer's entries; the end is written after them.</summary>
    public TarBuilder Tar { get; } = new TarBuilder().Add("Files", '5').Add("Files/first", data: "first"u8.ToArray());

    /// <summary>Changes to the whole tar; its diff ID is then that of what they leave.</summary>
    public List<Func<byte[], byte[]>> TarChanges { get; } = [];

    /// <summary>How the tar becomes a blob.</summary>
    public Func<byte[], byte[]> Compress { get; set; } = Gzip;

    /// <summary>Changes to the blob; its digest and size are then those of what they leave.</summary>
    public List<Func<byte[], byte[]>> BlobChanges { get; } = [];

    /// <summary>Changes to the upper layer's descriptor.</summary>
    public List<Action<JsonObject>> DescriptorChanges { get; } = [];

    public List<Action<JsonObject>> ConfigChanges { get; } = [];

    public List<Action<JsonObject>> ManifestChanges { get; } = [];

    public List<Func<string, string>> ManifestTextChanges { get; } = [];

    public List<Func<string, string>> ConfigTextChanges { get; } = [];

    public static byte[] Gzip(byte[] content)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return to.ToArray();
    }

    /// <summary>Writes the image as an OCI layout.</summary>
    /// <returns>The upper layer's digest, as its descriptor has it, if it has one.</returns>
    public string? WriteTo(string folder)
    {
        var blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256")).FullName;
        var tar = Change(Tar.End().ToArray(), TarChanges);
        var blob = Change(Compress(tar), BlobChanges);
        Add(s_baseBlob);
        Add(blob);
        var descriptor = Describe("application/vnd.oci.image.layer.v1.tar+gzip", blob);
        DescriptorChanges.ForEach(change => change(descriptor));
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "windows",
            ["os.version"] = "10.0.20348.1",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest(s_base), Digest(tar)) },
        };
        ConfigChanges.ForEach(change => change(config));
        var configText = Encoding.UTF8.GetBytes(Change(config.ToJsonString(), ConfigTextChanges));
        Add(configText);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = OciImage.ManifestMediaType,
            ["config"] = Describe(OciImage.ConfigMediaType, configText),
            ["layers"] = new JsonArray(Describe("application/vnd.oci.image.layer.v1.tar+gzip", s_baseBlob), descriptor),
        };
        ManifestChanges.ForEach(change => change(manifest));
        var manifestText = Encoding.UTF8.GetBytes(Change(manifest.ToJsonString(), ManifestTextChanges));
        Add(manifestText);
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["manifests"] = new JsonArray(Describe(OciImage.ManifestMediaType, manifestText)),
        };
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllText(Path.Combine(folder, "index.json"), index.ToJsonString());
        return descriptor["digest"] is JsonValue value && value.TryGetValue<string>(out var digest) ? digest : null;

        void Add(byte[] content) => File.WriteAllBytes(Path.Combine(blobs, Convert.ToHexStringLower(SHA256.HashData(content))), content);
    }

    public static JsonObject Describe(string mediaType, byte[] content) =>
        new() { ["mediaType"] = mediaType, ["digest"] = Digest(content), ["size"] = content.Length };

    /// <summary>An entry's header with one field filled with other bytes.</summary>
    public void Header(string name, char type, int at, byte[] field, byte[]? data = null) =>
        Tar.Header(Encoding.ASCII.GetBytes(name), type, data?.Length ?? 0, change: block => field.CopyTo(block, at)).Data(data ?? []);

    private static T Change<T>(T what, List<Func<T, T>> changes) => changes.Aggregate(what, (now, change) => change(now));

    private static string Digest(byte[] content) => string.Create(CultureInfo.InvariantCulture, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}");
}

/// <summary>How far a refusal must say where it was.</summary>
internal enum Names
{
    /// <summary>The image alone: there is no layer yet, or none at fault.</summary>
    Image,

    /// <summary>The layer, too.</summary>
    Layer,

    /// <summary>The layer, and the link by its name in the image: of links without a target the merge tells, when the tar is long gone.</summary>
    Link,

    /// <summary>The layer, and the entry by its name or its header's offset.</summary>
    Entry,
}

/// <summary>One thing that is wrong with an image, and what becomes of such an image.</summary>
/// <param name="Name">For the test's name.</param>
/// <param name="Apply">Makes it wrong.</param>
/// <param name="Refusal">A part of the message; null where the image is converted.</param>
/// <param name="Where">What the message must name.</param>
internal sealed record Quirk(string Name, Action<HostileImage> Apply, string? Refusal = null, Names Where = Names.Entry)
{
    public override string ToString() => Name;
}
