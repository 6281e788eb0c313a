namespace CimConvert.Formats.Cim;

/// <summary>
/// Bounds the cost of walking a CIM. In a well-formed CIM tables do not overlap, so together they are no longer than their
/// region; in a hostile one, a thousand directories could share one table of a million names.
/// </summary>
internal sealed class WalkBudget(CimReader cim)
{
    private readonly HashSet<uint> _directories = [];
    private readonly HashSet<uint> _withStreams = [];
    private readonly Dictionary<int, long> _left = [];

    /// <summary>Call before reading a directory's names. Returns false if they were read before.</summary>
    /// <exception cref="InvalidDataException">The tables read so far are longer than their region.</exception>
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

    /// <summary>Call before reading a file's alternate streams; counts the first call for a file only.</summary>
    /// <exception cref="InvalidDataException">The tables read so far are longer than their region.</exception>
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
