namespace CimConvert.Formats.Regf;

/// <summary>Reads security descriptors, each cell once. The counts of references are not trusted: the writer makes its own.</summary>
internal sealed class SecurityReader(CellMap cells)
{
    private readonly Dictionary<CellOffset, HiveSecurity> _known = [];

    /// <summary>Null for no descriptor.</summary>
    public HiveSecurity? Read(CellOffset at)
    {
        if (at.IsNone)
        {
            return null;
        }

        if (_known.TryGetValue(at, out var known))
        {
            return known;
        }

        var cell = cells.Claim(at);
        cell.Expect(Signatures.Security);
        CheckRing(cell);
        var size = cell.U32(SecurityField.DescriptorSize);
        if (size > cell.Length)
        {
            throw RegfError.At(at, $"descriptor of {size} bytes is longer than its cell");
        }

        var security = new HiveSecurity(cells.Slice(cell, SecurityField.Descriptor, (int)size));
        _known.Add(at, security);
        return security;
    }

    /// <summary>Each cell's neighbours in the ring must lead back to it, or Windows would not load the hive.</summary>
    private void CheckRing(in CellReader cell)
    {
        var next = cells.Open(cell.Offset(SecurityField.Next));
        var previous = cells.Open(cell.Offset(SecurityField.Previous));
        next.Expect(Signatures.Security);
        previous.Expect(Signatures.Security);
        if (next.Offset(SecurityField.Previous) != cell.At || previous.Offset(SecurityField.Next) != cell.At)
        {
            throw RegfError.At(cell.At, "neighbours in the ring of security descriptors do not lead back to it");
        }
    }
}
