using System.Text;
using System.Text.Json;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;
using CimConvert.TestKit;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>A chain of twenty forked layers reads at every level as the merged block CIMs of the same tars do, and as the oracle says.</summary>
[Category(Categories.Slow)]
public class ForkedChainTests
{
    [Test]
    public async Task Every_level_reads_as_the_merged_chain_and_the_oracle()
    {
        using var folder = new TempFolder();
        var import = new FileImport(new ManagedBackend(), new ManagedHiveMerger(), new BlockCimOptions(), new InputLimits(), NullLogger.Instance);
        var (blocks, cims, layerFolders) = (new List<string>(), new List<string>(), new List<string>());
        var oracle = new TarOracle { MergedHives = (layer, hive) => ReadHive(folder["layers", $"{layer}"], hive) };
        foreach (var (n, layer) in ForkedChain.Layers.Index())
        {
            var tar = layer.WriteFile(folder[$"{n}.tar"]);
            var parents = Enumerable.Reverse(blocks).ToArray();
            await import.RunAsync(tar, folder["blocks", $"{n}", "layer.bcim"], "layer.cim", parents, CancellationToken.None);
            blocks.Add(folder["blocks", $"{n}", "layer.bcim"]);
            await import.RunForkedAsync(
                tar, folder["cims", $"layer{n}.cim"], folder["layers", $"{n}"], cims.LastOrDefault(), [.. Enumerable.Reverse(layerFolders)], CancellationToken.None);
            cims.Add(folder["cims", $"layer{n}.cim"]);
            layerFolders.Add(folder["layers", $"{n}"]);

            var expected = oracle.Add(await File.ReadAllBytesAsync(tar)).Entries();
            var level = $"level {n}";
            using (Assert.EnterMultipleScope())
            {
                Assert.That(OracleDiff.Compare(expected, List(cims[^1], [])), Is.Empty, level);
                Assert.That(OracleDiff.Compare(expected, WalkedListing.Of(CimWalker.Walk(folder["cims"], $"layer{n}.cim"))), Is.Empty, level);
                Assert.That(OracleDiff.Compare(expected, ListMerged(folder, blocks, n)), Is.Empty, level);
                Assert.That(ReadHive(folder["layers", $"{n}"], "SYSTEM"), Is.EqualTo(ReadHive(folder["blocks", $"{n}"], "SYSTEM")), level);
            }
        }
    }

    private static byte[]? ReadHive(string folder, string hive)
    {
        var path = Path.Combine(folder, "Hives", hive + "_BASE");
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    private static IReadOnlyList<ListedEntry> ListMerged(TempFolder folder, List<string> blocks, int level)
    {
        if (level == 0)
        {
            return List(blocks[0], []);
        }

        var sources = Enumerable.Reverse(blocks).ToArray();
        var merged = folder[$"merged{level}.bcim"];
        new ManagedBackend().Merge(merged, "merged.cim", [.. sources.Select(source => new BlockCim(source, null))], new BlockCimOptions(), CancellationToken.None);
        return List(merged, sources);
    }

    private static IReadOnlyList<ListedEntry> List(string cim, string[] sources)
    {
        using var image = OpenCim.Open(cim, sources);
        var listing = new CimListing(image.Cim);
        using var lines = new MemoryStream();
        using var json = new Utf8JsonWriter(lines);
        foreach (var (path, entry) in listing.Entries(CimPath.Root, recursive: true))
        {
            listing.WriteJson(json, path, entry, withHash: true);
            json.Flush();
            json.Reset();
            lines.WriteByte((byte)'\n');
        }

        return ListedEntry.ParseLines(Encoding.UTF8.GetString(lines.ToArray()));
    }
}
