using CimConvert.Cims;

namespace CimConvert.Layers.Hives;

/// <summary>Merges the registry hives of layers: this project's code, or Windows' offreg.dll.</summary>
internal interface IHiveMerger
{
    /// <summary>The merger's name in the JSON of <c>convert</c> and <c>import</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Merges hives into a new file, which is complete and flushed to the disk when this returns; after an error, an invalid file may be
    /// left.
    /// </summary>
    /// <param name="hives">
    /// The hive files: the base hive, then the delta hives, nearest to the base first, in the order of ORMergeHives.
    /// </param>
    /// <param name="merged">The file to write; an existing one is replaced.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <exception cref="InvalidDataException">A hive is malformed or too large; the message names its file.</exception>
    void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken);
}

/// <summary>Chooses the hive merger of a back end.</summary>
internal static class HiveMergers
{
    /// <summary>
    /// offreg.dll for the native back end, if the machine has it. For the managed back end always <see cref="ManagedHiveMerger"/>, so that
    /// the same layers give the same bytes on every system.
    /// </summary>
    public static IHiveMerger For(ICimBackend backend) =>
        backend.Name == CimBackends.Native && OffRegHiveMerger.IsAvailable ? new OffRegHiveMerger() : new ManagedHiveMerger();
}
