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
