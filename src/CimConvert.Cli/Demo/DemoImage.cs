using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CimConvert.Oci;

namespace CimConvert.Cli.Demo;

/// <summary>
/// A small Windows image in memory: a base layer with its hives, and two layers that add, replace, link and remove, files and registry
/// keys. It is the same, bit for bit, in every run and on every system.
/// </summary>
internal static class DemoImage
{
    public const string Repository = "demo/app";
    public const string Tag = "v1";

    private const string OsVersion = "10.0.20348.2700";

    public static void AddTo(InProcessRegistry registry)
    {
        var layers = new[] { BaseLayer(), RuntimeLayer(), AppLayer() };
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = Platform.Windows,
            ["os.version"] = OsVersion,
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(tar => (JsonNode)InProcessRegistry.DigestOf(tar))]),
            },
        }.ToJsonString());
        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = AddBlob(registry, MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray([.. layers.Select(tar => (JsonNode)AddBlob(registry, MediaTypes.OciLayerGzip, Gzip(tar)))]),
        }.ToJsonString());
        registry.AddTag(Repository, Tag, registry.AddManifest(MediaTypes.OciManifest, manifest));
    }

    private static byte[] BaseLayer()
    {
        var layer = new DemoTar();
        layer.AddDirectory("Files", "Files/Windows", "Files/Windows/System32", "Files/Windows/System32/config", "Files/Users", "Files/Users/Public");
        foreach (var hive in (ReadOnlySpan<string>)["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"])
        {
            layer.AddFile($"Files/Windows/System32/config/{hive}", DemoHives.Base(hive));
        }

        layer.AddFile("Files/Windows/win.ini", "; for 16-bit app support\r\n"u8);
        layer.AddFile("Files/Windows/System32/library.dll", Content(200_000));
        layer.AddFile("Files/License.txt", Content(2_800));
        return layer.ToArray();
    }

    private static byte[] RuntimeLayer()
    {
        var layer = new DemoTar();
        layer.AddDirectory("Files", "Files/Program Files", "Files/Program Files/Runtime");
        layer.AddFile("Files/Program Files/Runtime/runtime.dll", Content(500_000));

        // The same bytes as in the base layer under another name, and a name for the base layer's own file.
        layer.AddFile("Files/Program Files/Runtime/copy.dll", Content(500_000));
        layer.AddLink("Files/Program Files/Runtime/win.ini", "Files/Windows/win.ini");
        layer.AddFile("Files/.wh.License.txt", []);
        return layer.ToArray();
    }

    private static byte[] AppLayer()
    {
        var layer = new DemoTar();
        layer.AddDirectory("Files", "Files/app");
        layer.AddFile("Files/app/app.exe", Content(120_000));
        layer.AddFile("Files/app/app.exe:Zone.Identifier:$DATA", "[ZoneTransfer]\r\nZoneId=3\r\n"u8);
        layer.AddFile("Files/Windows/win.ini", "; replaced by the application\r\n"u8);
        layer.AddDirectory("Hives");
        layer.AddFile("Hives/SOFTWARE_DELTA", DemoHives.SoftwareDelta());
        return layer.ToArray();
    }

    /// <summary>Bytes that look like nothing and are the same every time.</summary>
    private static byte[] Content(int size)
    {
        var bytes = new byte[size];
        var block = BitConverter.GetBytes(size);
        for (var at = 0; at < size; at += SHA256.HashSizeInBytes)
        {
            block = SHA256.HashData(block);
            block.AsSpan(0, Math.Min(block.Length, size - at)).CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }

    /// <summary>Stored, not compressed: what a compressor makes of the same bytes changes from version to version.</summary>
    private static byte[] Gzip(byte[] tar)
    {
        const int header = 10, trailer = 8, mostStored = ushort.MaxValue;
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.NoCompression, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        // The checksum and the length behind the content (RFC 1952, 2.3.1), which depend on nothing else.
        var checks = compressed.ToArray()[^trailer..];
        using var stored = new MemoryStream();
        stored.Write([0x1f, 0x8b, 8, .. new byte[header - 4], 0xff]);
        for (var at = 0; at < tar.Length; at += mostStored)
        {
            // A last block has its lowest bit set (RFC 1951, 3.2.4).
            var length = Math.Min(mostStored, tar.Length - at);
            stored.WriteByte(at + length == tar.Length ? (byte)1 : (byte)0);
            stored.Write([(byte)length, (byte)(length >> 8), (byte)~length, (byte)(~length >> 8)]);
            stored.Write(tar, at, length);
        }

        stored.Write(checks);
        return stored.ToArray();
    }

    /// <returns>The blob's descriptor.</returns>
    private static JsonObject AddBlob(InProcessRegistry registry, string mediaType, byte[] content) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = registry.AddBlob(content),
        ["size"] = content.Length,
    };
}
