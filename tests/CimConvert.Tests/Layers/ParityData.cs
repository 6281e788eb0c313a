using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>Two layers, and the calls recorded from Microsoft's own importer on them: Data/Parity/README.md.</summary>
internal static class ParityData
{
    public const string Base = "base.tar";
    public const string Delta = "delta1.tar";

    private const uint DeltaSeed = 11;
    private const int DeltaLargest = 200_000;

    private static readonly string s_folder = Path.Combine(Repository.Root, "tests", "CimConvert.Tests", "Data", "Parity");

    /// <summary>The tars that the importer read, and the traces are of.</summary>
    private static readonly Dictionary<string, string> s_digests = new(StringComparer.Ordinal)
    {
        [Base] = "f98033f698dabe2c8854567c4f0bcdc7bc3faacf0b46ee9c4f98462fbf46594b",
        [Delta] = "10f5fcd268a5bc9256c2fe4f570c63610944b6e7fd8365607fb0c167ddf3e7bf",
    };

    /// <param name="name"><see cref="Base"/> or <see cref="Delta"/></param>
    public static byte[] Tar(string name)
    {
        using var content = new MemoryStream();
        using (var gzip = new GZipStream(File.OpenRead(Path.Combine(s_folder, name + ".gz")), CompressionMode.Decompress))
        {
            gzip.CopyTo(content);
        }

        var tar = content.ToArray();
        if (name == Delta)
        {
            FillDelta(tar);
        }

        Assert.That(Convert.ToHexStringLower(SHA256.HashData(tar)), Is.EqualTo(s_digests[name]));
        return tar;
    }

    /// <summary>The tar as a file in a folder of the caller's.</summary>
    public static string WriteTar(string name, string folder)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, Tar(name));
        return path;
    }

    /// <param name="name"><c>plain</c> or <c>integrity-vhd</c></param>
    public static string[] Trace(string name) => File.ReadAllLines(Path.Combine(s_folder, $"trace-{name}.jsonl"));

    /// <summary>Puts the files' random bytes back, which are zeros in the repository.</summary>
    private static void FillDelta(byte[] tar)
    {
        var random = new PythonRandom(DeltaSeed);
        using var reader = new TarReader(new MemoryStream(tar, writable: false));
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.Name.StartsWith("Files/app/11-", StringComparison.Ordinal))
            {
                Assert.That(entry.Length, Is.EqualTo(random.FromOne(DeltaLargest)), entry.Name);
                random.Fill(tar.AsSpan((int)entry.DataOffset, (int)entry.Length));
            }
        }
    }
}
