using CimConvert.Tests.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>What Microsoft's importer does with the two layers of <see cref="ParityData"/>: its calls, and the files it leaves.</summary>
internal static class RecordedImport
{
    /// <summary>Ends a CIM's name until it is whole: hcsshim leaves a failed import under its final name, which nothing half-done gets here.</summary>
    public const string Partial = ".partial";

    private static readonly string[] s_links = ["CreateHardLink", "CreateMergeLink"];

    /// <summary>The calls of the two block CIMs and of the merged one.</summary>
    /// <param name="trace"><c>plain</c> or <c>integrity-vhd</c></param>
    public static string[][] Calls(string trace)
    {
        var images = Traces.Cut(ParityData.Trace(trace)).ToArray();
        Assert.That(images, Has.Length.EqualTo(3));
        if (trace != "plain")
        {
            // The newest hcsshim's.
            images[2] = [.. images[2], images[2][^1].Replace("SealImage", "GetVerificationInformation", StringComparison.Ordinal)];
        }

        return images;
    }

    public static void AssertCalls(string[][] images, string[][] recorded)
    {
        Assert.That(images, Has.Length.EqualTo(recorded.Length));
        foreach (var (image, expected) in images.Zip(recorded))
        {
            Assert.That(image, Is.EqualTo(expected));
        }
    }

    /// <summary>
    /// Looks at the calls of the two layers' forked CIMs, of which no trace was recorded. They are those of the block CIMs, but that a whiteout, there a
    /// tombstone, is a deletion here, and that hard links are made at once. The first call is another, and not looked at.
    /// </summary>
    public static void AssertForkedCalls(IEnumerable<string[]> images)
    {
        foreach (var (image, expected) in images.Zip(Traces.Cut(ParityData.Trace("plain")).Take(2)))
        {
            var forked = expected.Select(line => line
                .Replace("TombstoneFile", "DeletePath", StringComparison.Ordinal)
                .Replace("CreateMergeLink", "CreateHardLink", StringComparison.Ordinal)).Skip(1).ToArray();
            Assert.That(image[0], Does.StartWith("""{"op":"CreateImage","""));
            Assert.That(image.Skip(1).Where(line => !IsLink(line)), Is.EqualTo(forked.Where(line => !IsLink(line))));
            Assert.That(image.Where(IsLink), Is.EquivalentTo(forked.Where(IsLink)));
        }
    }

    /// <summary>The hives in the folder of a layer, in the order of their names.</summary>
    public static IEnumerable<string> Hives(string folder, bool withDeltas)
    {
        string[] kinds = withDeltas ? ["BASE", "DELTA"] : ["BASE"];
        return ((string[])["DEFAULTUSER", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"])
            .SelectMany(hive => kinds.Select(kind => $"{folder}/Hives/{hive}_{kind}"));
    }

    /// <summary>The files of block layers in folders of their own, and of the merged CIM, in the order of their names.</summary>
    public static IEnumerable<string> Files(string below, string above, string merged, string extension, bool integrity)
    {
        string[] files =
        [
            $"{below}/layer.{extension}", $"{above}/layer.{extension}", $"{merged}/merged.{extension}",
            .. Hives(below, withDeltas: false), .. Hives(above, withDeltas: true),
        ];
        string[] checksums = [$"{below}/integrity_checksum", $"{above}/integrity_checksum", $"{merged}/merged_integrity_checksum"];
        return (integrity ? files.Concat(checksums) : files).Order(StringComparer.Ordinal);
    }

    /// <summary>The files that are below a folder, in the order of their names.</summary>
    public static string[] FilesOf(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal)];

    /// <summary>The recorder's CIMs are a block of zeros; the footer behind has the root digest's first half for an id, if there is one.</summary>
    public static void AssertFooter(string file, bool expected, bool integrity)
    {
        const int block = 4096, footer = 512, idAt = 68, idSize = 16;
        var bytes = File.ReadAllBytes(file);
        Assert.That(bytes, Has.Length.EqualTo(expected ? block + footer : block));
        if (expected)
        {
            Assert.That(bytes[block..(block + 8)], Is.EqualTo("conectix"u8.ToArray()));
            Assert.That(Array.TrueForAll(bytes[(block + idAt)..(block + idAt + idSize)], value => value == 0xab), Is.EqualTo(integrity));
        }
    }

    /// <summary>A path as it stands in a line of a trace.</summary>
    public static string Json(string path) => path.Replace(@"\", @"\\", StringComparison.Ordinal);

    private static bool IsLink(string line) => Array.Exists(s_links, op => line.Contains($"\"{op}\"", StringComparison.Ordinal));
}
