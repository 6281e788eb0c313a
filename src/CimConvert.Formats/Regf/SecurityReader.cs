namespace CimConvert.Formats.Regf;

/// <summary>Reads security descriptors, each cell once. Ignores the stored reference counts; the writer counts anew.</summary>
internal sealed class SecurityReader(CellMap cells)
{
    private readonly Dictionary<CellOffset, HiveSecurity> _known = [];

    /// <summary>Null if the offset is none.</summary>
    public HiveSecurity? Read(CellOffset offset)
    {
        if (offset.IsNone)
        {
            return null;
        }

        if (_known.TryGetValue(offset, out var known))
        {
            return known;
        }

        var cell = cells.Claim(offset);
        cell.Expect(Signatures.Security);
        CheckRing(cell);
        var size = cell.U32(SecurityField.DescriptorSize);
        if (size > cell.Length)
        {
            throw RegfError.At(offset, $"descriptor of {size} bytes is longer than its cell");
        }

        var security = new HiveSecurity(cells.Slice(cell, SecurityField.Descriptor, (int)size));
        _known.Add(offset, security);
        return security;
    }

    /// <summary>The cell's neighbours in the ring must refer back to it, or Windows does not load the hive.</summary>
    private void CheckRing(in CellReader cell)
    {
        var next = cells.Open(cell.Offset(SecurityField.Next));
        var previous = cells.Open(cell.Offset(SecurityField.Previous));
        next.Expect(Signatures.Security);
        previous.Expect(Signatures.Security);
        if (next.Offset(SecurityField.Previous) != cell.Cell || previous.Offset(SecurityField.Next) != cell.Cell)
        {
            throw RegfError.At(cell.Cell, "neighbours in the ring of security descriptors do not lead back to it");
        }
    }
}
