namespace CimConvert.Formats.Regf;

/// <summary>
/// Says where the next cell goes when cells are placed one after the other: bins are a page, or as many as one large cell
/// needs; a cell never crosses bins. The same sizes in the same order get the same places, which is what lets the writer
/// lay out first and emit later.
/// </summary>
internal sealed class BinLayout
{
    /// <summary>Where the bin being filled starts.</summary>
    public long BinStart { get; private set; }

    /// <summary>Where it ends; the total size of all bins, once the last cell is placed.</summary>
    public long BinEnd { get; private set; }

    /// <summary>Where its free space starts.</summary>
    public long Next { get; private set; }

    /// <summary>Whether a cell of that size, header included, needs a new bin.</summary>
    public bool NeedsBin(int cellSize) => cellSize > BinEnd - Next;

    /// <summary>Bytes the cell takes with its header, aligned.</summary>
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

        var at = new CellOffset((uint)Next);
        Next += size;
        return at;
    }

    private static int Align(int size, int to) => checked(size + to - 1) / to * to;
}
