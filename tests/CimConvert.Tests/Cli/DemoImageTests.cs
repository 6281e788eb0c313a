using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using CimConvert.Cli.Demo;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>The demo's image: others read it, and it is the same in every run and on every system.</summary>
public class DemoImageTests
{
    /// <summary>Changes with the image, and then README's digests do, too.</summary>
    private const string Manifest = "sha256:5ccac22b059f389fcfaefc5746b12171914e088e855f6f9f684ef8aad92cc7e6";

    [Test]
    public void Its_digest_is_known()
    {
        var registry = new InProcessRegistry();
        DemoImage.AddTo(registry);
        Assert.That(registry.FindTag(DemoImage.Repository, DemoImage.Tag), Is.EqualTo(Manifest));
    }

    [Test]
    public void Other_readers_find_its_layers_whole()
    {
        var registry = new InProcessRegistry();
        DemoImage.AddTo(registry);
        var manifest = Json(registry, $"manifests/{DemoImage.Tag}");
        var config = Json(registry, "blobs/" + DigestOf(manifest.GetProperty("config")));
        var tars = manifest.GetProperty("layers").EnumerateArray().Select(layer => Gunzip(Read(registry, "blobs/" + DigestOf(layer)))).ToArray();

        var diffIds = config.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString());
        Assert.That(tars.Select(InProcessRegistry.DigestOf), Is.EqualTo(diffIds));
        Assert.That(Entries(tars[1]), Is.EqualTo(new[]
        {
            "Directory Files/ 16 0", "Directory Files/Program Files/ 16 0", "Directory Files/Program Files/Runtime/ 16 0",
            "RegularFile Files/Program Files/Runtime/runtime.dll 32 500000", "RegularFile Files/Program Files/Runtime/copy.dll 32 500000",
            "HardLink Files/Program Files/Runtime/win.ini 32 0", "RegularFile Files/.wh.License.txt 32 0",
        }));
    }

    private static IEnumerable<string> Entries(byte[] tar)
    {
        using var reader = new TarReader(new MemoryStream(tar));
        while (reader.GetNextEntry() is PaxTarEntry entry)
        {
            Assert.That(entry.ModificationTime, Is.EqualTo(new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            yield return $"{entry.EntryType} {entry.Name} {entry.ExtendedAttributes["MSWINDOWS.fileattr"]} {entry.Length}";
        }
    }

    private static byte[] Gunzip(byte[] blob)
    {
        using var gzip = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        using var content = new MemoryStream();
        gzip.CopyTo(content);
        return content.ToArray();
    }

    private static JsonElement Json(InProcessRegistry registry, string name)
    {
        using var document = JsonDocument.Parse(Read(registry, name));
        return document.RootElement.Clone();
    }

    private static byte[] Read(InProcessRegistry registry, string name)
    {
        using var answer = registry.Pull($"/v2/{DemoImage.Repository}/{name}", first: null);
        Assert.That(answer.IsContent, name);
        using var content = new MemoryStream();
        answer.Content.CopyTo(content);
        return content.ToArray();
    }

    private static string DigestOf(JsonElement descriptor) => descriptor.GetProperty("digest").GetString()!;
}
