namespace CimConvert.Formats.Cim;

/// <summary>
/// Bounds what going through a CIM can cost. Tables of a sound CIM lie side by side, so together they are no longer than the
/// regions they lie in; in a hostile one, a thousand directories could share one table of a million names.
/// </summary>
internal sealed class WalkBudget(CimReader cim)
{
    private readonly HashSet<uint> _directories = [];
    private readonly HashSet<uint> _withStreams = [];
    private readonly Dictionary<int, long> _left = [];

    /// <summary>Notes that a directory's names are about to be read; false where they were before.</summary>
    /// <exception cref="InvalidDataException">There are more tables than the region has room for.</exception>
    public bool Enter(CimEntry directory)
    {
        if (!_directories.Add(directory.FileId))
        {
            return false;
        }

        if (directory.Data.Length > 0)
        {
            Spend(directory.Data.Data, directory.Data.Length);
        }

        return true;
    }

    /// <summary>Notes that a file's alternate streams are about to be read, however often.</summary>
    /// <exception cref="InvalidDataException">There are more tables than the region has room for.</exception>
    public void ReadStreamsOf(CimEntry file)
    {
        if (!file.StreamTable.IsNull && _withStreams.Add(file.FileId))
        {
            Spend(file.StreamTable, cim.StreamTableSize(file));
        }
    }

    private void Spend(RegionOffset table, long size)
    {
        var left = _left.TryGetValue(table.Region, out var known) ? known : cim.RegionLength(table);
        if (size > left)
        {
            throw new InvalidDataException($"the table at {table} overlaps others: together they are longer than their region");
        }

        _left[table.Region] = left - size;
    }
}
