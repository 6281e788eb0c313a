namespace CimConvert.Formats.Regf;

/// <summary>Reads the list of a key's subkeys: an li, lf or lh list, or an ri list of these.</summary>
internal sealed class SubkeyListReader(CellMap cells)
{
    private readonly Stack<(CellOffset List, int Depth)> _pending = new();

    /// <summary>Fills <paramref name="keys"/> with the subkeys' offsets, in list order.</summary>
    public void Read(CellOffset list, uint expected, List<CellOffset> keys)
    {
        keys.Clear();
        _pending.Clear();
        _pending.Push((list, 0));
        while (_pending.TryPop(out var next))
        {
            var cell = cells.Claim(next.List);
            switch (cell.U16(ListField.Signature))
            {
                case Signatures.IndexLeaf:
                    ReadLeaf(cell, ListField.PlainElement, keys);
                    break;
                case Signatures.FastLeaf or Signatures.HashLeaf:
                    ReadLeaf(cell, ListField.HintedElement, keys);
                    break;
                case Signatures.IndexRoot:
                    PushLists(cell, next.Depth + 1);
                    break;
                default:
                    throw RegfError.At(next.List, "is not a list of subkeys");
            }
        }

        if (keys.Count != expected)
        {
            throw RegfError.At(list, $"list has {keys.Count} subkeys, its key counts {expected}");
        }
    }

    private static void ReadLeaf(in CellReader cell, int element, List<CellOffset> keys)
    {
        var count = cell.U16(ListField.Count);
        _ = cell.Bytes(ListField.Elements, count * element);
        for (var i = 0; i < count; i++)
        {
            keys.Add(cell.Offset(ListField.Elements + (i * element)));
        }
    }

    private void PushLists(in CellReader cell, int depth)
    {
        if (depth > RegfLimits.ListDepth)
        {
            throw RegfError.At(cell.Cell, $"lists of lists are more than {RegfLimits.ListDepth} deep");
        }

        var count = cell.U16(ListField.Count);
        _ = cell.Bytes(ListField.Elements, count * ListField.PlainElement);
        for (var i = count - 1; i >= 0; i--)
        {
            _pending.Push((cell.Offset(ListField.Elements + (i * ListField.PlainElement)), depth));
        }
    }
}
