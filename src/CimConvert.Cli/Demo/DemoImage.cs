using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CimConvert.Oci;

namespace CimConvert.Cli.Demo;

/// <summary>A small Windows image in memory: a base layer with its hives, and two layers that add, replace, link and remove, files and registry keys.</summary>
internal sealed class DemoImage
{
    public const string Repository = "demo/app";
    public const string Tag = "v1";

    private const string OsVersion = "10.0.20348.2700";
    private const string Directory = "16";
    private const string Archive = "32";

    private static readonly DateTimeOffset s_time = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, byte[]> _blobs = [];

    public DemoImage()
    {
        var layers = new[] { BaseLayer(), RuntimeLayer(), AppLayer() };
        var config = Add(Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = Platform.Windows,
            ["os.version"] = OsVersion,
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(tar => (JsonNode)DigestOf(tar))]),
            },
        }.ToJsonString()));
        Manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Describe(MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray([.. layers.Select(tar => (JsonNode)Describe(MediaTypes.OciLayerGzip, Add(Gzip(tar))))]),
        }.ToJsonString());
        Add(Manifest);
    }

    public byte[] Manifest { get; }

    /// <summary>The content of a digest; null where the image has none.</summary>
    public byte[]? Find(string digest) => _blobs.GetValueOrDefault(digest);

    private static byte[] BaseLayer()
    {
        using var layer = new Layer();
        layer.AddDirectory("Files", "Files/Windows", "Files/Windows/System32", "Files/Windows/System32/config", "Files/Users", "Files/Users/Public");
        foreach (var hive in (ReadOnlySpan<string>)["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"])
        {
            layer.AddFile($"Files/Windows/System32/config/{hive}", DemoHives.Base(hive));
        }

        layer.AddFile("Files/Windows/win.ini", "; for 16-bit app support\r\n"u8);
        layer.AddFile("Files/Windows/System32/library.dll", Content(200_000));
        layer.AddFile("Files/License.txt", Content(2_800));
        return layer.Finish();
    }

    private static byte[] RuntimeLayer()
    {
        using var layer = new Layer();
        layer.AddDirectory("Files", "Files/Program Files", "Files/Program Files/Runtime");
        layer.AddFile("Files/Program Files/Runtime/runtime.dll", Content(500_000));

        // The same bytes as in the base layer under another name, and a name for the base layer's own file.
        layer.AddFile("Files/Program Files/Runtime/copy.dll", Content(500_000));
        layer.AddLink("Files/Program Files/Runtime/win.ini", "Files/Windows/win.ini");
        layer.AddFile("Files/.wh.License.txt", []);
        return layer.Finish();
    }

    private static byte[] AppLayer()
    {
        using var layer = new Layer();
        layer.AddDirectory("Files", "Files/app");
        layer.AddFile("Files/app/app.exe", Content(120_000));
        layer.AddFile("Files/app/app.exe:Zone.Identifier:$DATA", "[ZoneTransfer]\r\nZoneId=3\r\n"u8);
        layer.AddFile("Files/Windows/win.ini", "; replaced by the application\r\n"u8);
        layer.AddDirectory("Hives");
        layer.AddFile("Hives/SOFTWARE_DELTA", DemoHives.SoftwareDelta());
        return layer.Finish();
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

    private static byte[] Gzip(byte[] tar)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return compressed.ToArray();
    }

    private static string DigestOf(byte[] content) => Digest.Compute(content).ToString();

    private static JsonObject Describe(string mediaType, byte[] content) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = DigestOf(content),
        ["size"] = content.Length,
    };

    private byte[] Add(byte[] content)
    {
        _blobs[DigestOf(content)] = content;
        return content;
    }

    /// <summary>A layer's tar with the records Windows' own writer sets.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly MemoryStream _stream = new();
        private readonly TarWriter _tar;

        public Layer() => _tar = new TarWriter(_stream, TarEntryFormat.Pax, leaveOpen: true);

        public void AddDirectory(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                Write(TarEntryType.Directory, name, Directory, data: null, link: null);
            }
        }

        public void AddFile(string name, ReadOnlySpan<byte> content) =>
            Write(TarEntryType.RegularFile, name, Archive, new MemoryStream(content.ToArray()), link: null);

        public void AddLink(string name, string target) => Write(TarEntryType.HardLink, name, Archive, data: null, target);

        /// <summary>The whole tar; nothing can be added to it any more.</summary>
        public byte[] Finish()
        {
            _tar.Dispose();
            return _stream.ToArray();
        }

        public void Dispose()
        {
            _tar.Dispose();
            _stream.Dispose();
        }

        private void Write(TarEntryType type, string name, string attributes, Stream? data, string? link)
        {
            var entry = new PaxTarEntry(type, name, [new("MSWINDOWS.fileattr", attributes)]) { ModificationTime = s_time };
            if (data is not null)
            {
                entry.DataStream = data;
            }

            if (link is not null)
            {
                entry.LinkName = link;
            }

            _tar.WriteEntry(entry);
        }
    }
}
