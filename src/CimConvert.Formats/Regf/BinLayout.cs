namespace CimConvert.Formats.Regf;

/// <summary>
/// Assigns offsets to consecutive cells. A bin has one page, or as many as a larger cell needs; a cell never crosses bins. The same
/// sizes in the same order get the same offsets, so that the writer can lay out first and emit later.
/// </summary>
internal sealed class BinLayout
{
    /// <summary>Start of the current bin.</summary>
    public long BinStart { get; private set; }

    /// <summary>End of the current bin; after the last cell, the total size of all bins.</summary>
    public long BinEnd { get; private set; }

    /// <summary>Start of the current bin's free space.</summary>
    public long Next { get; private set; }

    /// <summary>Whether a cell of that size, header included, needs a new bin.</summary>
    public bool NeedsBin(int cellSize) => cellSize > BinEnd - Next;

    /// <summary>Bytes of a cell, header included, aligned.</summary>
    public static int CellSize(int payload) => Align(CellField.SizeLength + payload, CellField.Alignment);

    public CellOffset Place(int payload)
    {
        var size = CellSize(payload);
        if (NeedsBin(size))
        {
            BinStart = BinEnd;
            BinEnd += Align(BinField.HeaderSize + size, BinField.Page);
            Next = BinStart + BinField.HeaderSize;
            if (BinEnd > RegfLimits.BinsSize)
            {
                throw RegfError.Hive($"would need more than {RegfLimits.BinsSize} bytes of bins");
            }
        }

        var offset = new CellOffset((uint)Next);
        Next += size;
        return offset;
    }

    private static int Align(int size, int alignment) => checked(size + alignment - 1) / alignment * alignment;
}
