using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Merges hives with this project's own reader and writer (<c>CimConvert.Formats/Regf/FORMAT.md</c>), on any system. The same hives give
/// the same bytes.
/// </summary>
internal sealed class ManagedHiveMerger(long maxHiveSize = HiveFile.DefaultMaxSize) : IHiveMerger
{
    public string Name => "managed";

    public void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(hives.Count, nameof(hives));
        var hive = HiveMerge.Merge(Read(hives[0]));
        foreach (var delta in hives.Skip(1))
        {
            // One delta at a time: then, of a long chain, only what the result still refers to stays in memory.
            hive = HiveMerge.Merge(hive, Read(delta));
        }

        cancellationToken.ThrowIfCancellationRequested();
        HiveFile.Write(hive, merged);

        Hive Read(string file)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return HiveFile.Read(file, maxHiveSize);
        }
    }
}
