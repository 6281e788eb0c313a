using System.Text;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Sources;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.Tests.Formats.Gzip;
using CimConvert.Tests.Formats.Tar;

namespace CimConvert.Tests.Fuzzing;

/// <summary>Manifests, indexes and configs, each text taken for all three.</summary>
internal sealed class DocumentHarness : FuzzHarness
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly string[] s_types = [MediaTypes.OciManifest, MediaTypes.DockerManifest, MediaTypes.OciIndex, MediaTypes.DockerList];

    public override string Name => "documents";

    public override int MaxLength => 8 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Words("null", "true", "[]", "{}", "\"\"", "-1", "1e400", "1.5", "9223372036854775808", "[[[[[[[[", "\\u0000", "\\ud800", "sha512:", "sha256:" + Hex, "//", "\ufeff"),
        .. Words("\"schemaVersion\":2,", "\"mediaType\":", "\"layers\":", "\"manifests\":", "\"config\":", "\"subject\":", "\"annotations\":", "\"urls\":[", "\"rootfs\":"),
        .. Words("\"diff_ids\":", "\"os.version\":", "\"os.features\":[null]", "\"platform\":null", "\"size\":", "\"digest\":"),
    ];

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        var layer = $$$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:{{{Hex}}}","size":123,"urls":["https://example.com/"],"annotations":{"a":"b"}}""";
        string[] texts =
        [
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"sha256:{{{Hex}}}","size":7},"layers":[{{{layer}}},{{{layer}}}]}""",
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"sha256:{{{Hex}}}","size":5,"platform":{"architecture":"amd64","os":"windows","os.version":"10.0.20348.1","os.features":["win32k"]}}]}""",
            $$$"""{"os":"windows","architecture":"amd64","os.version":"10.0.17763.1","rootfs":{"type":"layers","diff_ids":["sha256:{{{Hex}}}","sha256:{{{Hex}}}"]},"history":[],"config":{"Cmd":["x"]}}""",
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.DockerManifest}}}","config":{"mediaType":"{{{MediaTypes.DockerConfig}}}","digest":"sha256:{{{Hex}}}","size":7},"layers":[]}""",
        ];
        return [.. texts.Select(text => new[] { Encoding.UTF8.GetBytes(text) })];
    }

    public override bool IsRefusal(Exception error) => error is InvalidDataException or PlatformNotFoundException;

    public override string Run(byte[][] parts)
    {
        var ends = new List<string> { End(() => $"config {ImageConfig.Parse(parts[0], 2).Platform.ToString().Length > 0}") };
        foreach (var type in s_types)
        {
            ends.Add(End(() => $"manifest {ImageManifest.Parse(parts[0], type).Layers.Count}"));
            ends.Add(End(() => PlatformSelector.Select(ImageIndex.Parse(parts[0], type), Platform.Parse("windows/amd64"), "10.0.20348").MediaType.Length > 0 ? "chosen" : "nameless"));
        }

        return string.Join('|', ends);
    }

    private string End(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return e.Message.Contains('\n', StringComparison.Ordinal) ? throw new InvalidOperationException("a message of several lines", e) : FuzzLoop.Kind(e);
        }
    }
}

/// <summary>What users and manifests name images, digests and platforms by. What is read is written, and reads as the same.</summary>
internal sealed class ReferenceHarness : FuzzHarness
{
    public override string Name => "references";

    public override int MaxLength => 1024;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        Words("@sha256:", ":", "/", "//", "..", ":5000", "[::1]", "localhost", "docker.io/", "library/", "oci:", "docker-archive:", "__", "-", "@", "\0", "İ", "\u2025");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        .. from text in new[]
           {
               "app", "registry.example:5000/win/app:v1", "a.b/c@sha256:" + new string('a', 64), "localhost/x__y/z.w:T_1@sha256:" + new string('0', 64), "[::1]:5000/a:b",
               "oci:folder:name", @"docker-archive:c:\file.tar:name:tag", "windows/amd64/v8", "10.0.20348.2700",
           }
           select new[] { Encoding.UTF8.GetBytes(text) },
    ];

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var text = Encoding.UTF8.GetString(parts[0]);
        return string.Join('|', Same(text, Reference), Same(text, ImageLocation.Parse), Same(text, Digest.Parse), Same(text, Platform.Parse), $"{OsVersion.TryParse(text, out _)}");
    }

    /// <summary>What is a reference has a registry that can be asked.</summary>
    private static ImageReference Reference(string text)
    {
        var reference = ImageReference.Parse(text);
        return RegistryHost.Of(reference.Registry, plainHttp: false).Root.Host.Length > 0 ? reference : throw new InvalidOperationException("a registry without a name");
    }

    private string Same<T>(string text, Func<string, T> parse)
        where T : notnull
    {
        string written;
        try
        {
            written = parse(text).ToString()!;
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return FuzzLoop.Kind(e);
        }

        var again = parse(written).ToString();
        return written == again ? "read" : throw new InvalidOperationException($"'{text}' reads as '{written}', and that as '{again}'");
    }
}

/// <summary>A file that <c>docker save</c> is said to have made.</summary>
internal sealed class ArchiveHarness : FuzzHarness, IDisposable
{
    private readonly TempFolder _folder = new();

    public override string Name => "docker-archive";

    public override int MaxLength => 16 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        Words("manifest.json", "config.json", "layer.tar", "null", "[]", "\"Config\":", "\"RepoTags\":null", "\"Layers\":", "../", "ustar\0", "1", "2", "rootfs");

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        var layer = new TarBuilder().Add("Files/a", data: [1]).End().ToArray();
        var config = $$$"""{"os":"windows","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:{{{new string('a', 64)}}}"]}}""";
        byte[] Saved(byte[] content, string name) => new TarBuilder()
            .Add("config.json", data: Encoding.UTF8.GetBytes(config))
            .Add(name, data: content)
            .Add("link/layer.tar", '2', link: "../" + name)
            .Add("hard", '1', link: name)
            .Add("manifest.json", data: Encoding.UTF8.GetBytes($$"""[{"Config":"config.json","RepoTags":["app:v1"],"Layers":["{{(name == "x" ? "link/layer.tar" : name)}}"]}]"""))
            .End().ToArray();
        return [[Saved(layer, "layer.tar")], [Saved(GzipFiles.Compress(layer), "x")]];
    }

    public override void Repair(byte[][] parts) => TarRepair.Checksums(parts[0]);

    public override bool IsRefusal(Exception error) => error is InvalidDataException or ConversionException;

    public override string Run(byte[][] parts)
    {
        File.WriteAllBytes(_folder["saved"], parts[0]);
        var source = new DockerArchiveSource(new ImageLocation.Archive(_folder["saved"], null));
        var fetched = source.GetManifestAsync(null, default).GetAwaiter().GetResult();
        var manifest = ImageManifest.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
        return $"{manifest.Layers.Count} {string.Join(',', manifest.Layers.Select(l => l.MediaType))}";
    }

    public void Dispose() => _folder.Dispose();
}
