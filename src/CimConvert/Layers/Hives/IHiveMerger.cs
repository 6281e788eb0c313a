using CimConvert.Cims;

namespace CimConvert.Layers.Hives;

/// <summary>What lays the hives of layers over one another: our own code, or Windows' offreg.dll.</summary>
internal interface IHiveMerger
{
    /// <summary>As the JSON of <c>convert</c> and <c>import</c> says which one it was.</summary>
    string Name { get; }

    /// <summary>Merges hives into a new file, which is complete and on the disk afterwards; after an error it may be there, and is no hive.</summary>
    /// <param name="hives">Files: the base hive, then the differencing ones, nearest to the base first, as ORMergeHives takes them.</param>
    /// <param name="merged">The file to make; one of that name is replaced.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <exception cref="InvalidDataException">A hive is malformed or too large; the message names its file.</exception>
    void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken);
}

/// <summary>Which hive merger goes with which back end.</summary>
internal static class HiveMergers
{
    /// <summary>
    /// Windows' own for CIMs of Windows' own writer, where the machine has it. With the managed back end always ours: the same
    /// layers give the same bytes on every system.
    /// </summary>
    public static IHiveMerger For(ICimBackend backend) =>
        backend.Name == CimBackends.Native && OffRegHiveMerger.IsAvailable ? new OffRegHiveMerger() : new ManagedHiveMerger();
}
