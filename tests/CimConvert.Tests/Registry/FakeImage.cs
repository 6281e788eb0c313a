using System.Globalization;
using System.Text;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using CimConvert.TestKit.Registry;
using Microsoft.Extensions.Logging;

namespace CimConvert.Tests.Registry;

/// <summary>What the fixtures of this folder share: a small Windows image in a fake registry, and impatient clients.</summary>
internal static class FakeImage
{
    public const string Repository = "team/app";
    public const string Tag = "v1";

    /// <summary>Short pauses and limits: the faults are certain, so waiting would teach nothing.</summary>
    public static RegistryOptions Options { get; } = new()
    {
        PlainHttp = true,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxRetryDelay = TimeSpan.FromSeconds(2),
        StallTimeout = TimeSpan.FromSeconds(1),
        MaxAttempts = 3,
    };

    public static RegistryClient Client(RegistryOptions? options = null, ILoggerFactory? loggers = null) =>
        RegistryClientFactory.Create(options ?? Options, loggers);

    public static ImageReference Reference(this FakeRegistry registry, string tagOrDigest = Tag) => ImageReference.Parse(
        $"{registry.Host}/{Repository}{(tagOrDigest.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{tagOrDigest}");

    /// <summary>Bytes that differ at every offset that a resumed download could mix up.</summary>
    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Descriptor AddContent(this FakeRegistry registry, byte[] bytes, string mediaType = MediaTypes.OciLayerGzip) => new()
    {
        MediaType = mediaType,
        Digest = Digest.Parse(registry.AddBlob(bytes)),
        Size = bytes.Length,
    };

    /// <summary>An image of one layer; its manifest is tagged <see cref="Tag"/>.</summary>
    public static Descriptor AddImage(this FakeRegistry registry, string osVersion = "10.0.20348.2700", string os = "windows")
    {
        var layer = registry.AddContent(Bytes(1000));
        var config = registry.AddContent(
            Encoding.UTF8.GetBytes($$"""
                {"os":"{{os}}","architecture":"amd64","os.version":"{{osVersion}}","rootfs":{"type":"layers","diff_ids":["{{layer.Digest}}"]} }
                """),
            MediaTypes.OciConfig);
        return registry.AddDocument(MediaTypes.OciManifest, $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Json(config)}},"layers":[{{Json(layer)}}]}
            """) with { Platform = new Platform { Os = os, Architecture = "amd64", OsVersion = osVersion } };
    }

    public static Descriptor AddIndex(this FakeRegistry registry, params Descriptor[] entries) => registry.AddDocument(
        MediaTypes.OciIndex, $$"""{"schemaVersion":2,"manifests":[{{string.Join(',', entries.Select(Json))}}]}""");

    public static Descriptor AddDocument(this FakeRegistry registry, string mediaType, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var digest = registry.AddManifest(mediaType, bytes);
        registry.AddTag(Repository, Tag, digest);
        return new Descriptor { MediaType = mediaType, Digest = Digest.Parse(digest), Size = bytes.Length };
    }

    public static async Task<byte[]> ReadAllAsync(this RegistryClient client, ImageReference reference, Descriptor blob, TransferCount? count = null)
    {
        using var content = new MemoryStream();
        await using var stream = await client.OpenBlobAsync(reference, blob, offset: 0, count ?? new TransferCount(), CancellationToken.None);
        await stream.CopyToAsync(content);
        return content.ToArray();
    }

    private static string Json(Descriptor descriptor)
    {
        var platform = descriptor.Platform is { } p
            ? $$""","platform":{"os":"{{p.Os}}","architecture":"{{p.Architecture}}","os.version":"{{p.OsVersion}}"}"""
            : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"mediaType":"{{descriptor.MediaType}}","digest":"{{descriptor.Digest}}","size":{{descriptor.Size}}{{platform}}}""");
    }
}
