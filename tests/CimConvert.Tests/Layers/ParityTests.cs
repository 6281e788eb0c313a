using CimConvert.Layers;
using CimConvert.Layers.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>The calls recorded from Microsoft's own importer (hcsshim v0.14.0) on two layers, against ours, line by line.</summary>
internal sealed class ParityTests
{
    private const string CreateImage = """{"op":"CreateImage2",""";
    private const string CommitImage = """{"op":"CommitImage"}""";

    [Test]
    public void The_base_layer_makes_the_recorded_calls()
    {
        using var folder = new LayerFolder();
        var (lines, result) = Import(ParityData.Base, isBase: true, folder);
        Assert.That(lines, Is.EqualTo(Recorded(layer: 0)));
        Assert.That(folder.Everything, Is.EqualTo(new[]
        {
            "Hives", "Hives/DEFAULTUSER_BASE", "Hives/SAM_BASE", "Hives/SECURITY_BASE", "Hives/SOFTWARE_BASE", "Hives/SYSTEM_BASE",
        }));
        Assert.That(result.Entries, Is.EqualTo(67));
        Assert.That(result.DeltaHives, Is.Empty);
    }

    [Test]
    public void The_child_layer_makes_the_recorded_calls()
    {
        using var parent = new LayerFolder();
        using var folder = new LayerFolder();
        Import(ParityData.Base, isBase: true, parent);
        var (lines, result) = Import(ParityData.Delta, isBase: false, folder, parent.Path);
        Assert.That(lines, Is.EqualTo(Recorded(layer: 1)));
        Assert.That(folder.Everything, Is.EqualTo(new[]
        {
            "Hives",
            "Hives/DEFAULTUSER_BASE", "Hives/DEFAULTUSER_DELTA", "Hives/SAM_BASE", "Hives/SAM_DELTA", "Hives/SECURITY_BASE",
            "Hives/SECURITY_DELTA", "Hives/SOFTWARE_BASE", "Hives/SOFTWARE_DELTA", "Hives/SYSTEM_BASE", "Hives/SYSTEM_DELTA",
        }));
        Assert.That(result.DeltaHives, Is.EqualTo(RegistryHive.All));
    }

    private static (List<string> Lines, LayerImportResult Result) Import(string tar, bool isBase, LayerFolder folder, params string[] parents)
    {
        using var stream = new MemoryStream(ParityData.Tar(tar), writable: false);
        using var image = new RecordingCimWriter();
        var result = LayerImport.Import(stream, image, new LayerImportOptions { IsBase = isBase, LayerFolder = folder.Path }, default);
        if (!isBase)
        {
            HiveMerging.Merge(image, result.DeltaHives, folder.Path, parents, new BaseCopier(), default);
        }

        Assert.That(stream.Position, Is.EqualTo(stream.Length), "the whole stream is read");
        return (image.Lines, result);
    }

    /// <summary>What was recorded between the opening and the commit of a layer's CIM.</summary>
    private static string[] Recorded(int layer)
    {
        var lines = ParityData.Trace("plain");
        var starts = lines.Index().Where(line => line.Item.StartsWith(CreateImage, StringComparison.Ordinal)).Select(line => line.Index + 1);
        return [.. lines.Skip(starts.ElementAt(layer)).TakeWhile(line => line != CommitImage)];
    }

    /// <summary>The recorder's stand-in for offreg.dll: the merged hive is the base hive.</summary>
    private sealed class BaseCopier : IHiveMerger
    {
        public string Name => "copy";

        public void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken) => File.Copy(hives[0], merged);
    }
}
