using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes the list of a key's subkeys: one hash leaf, or several and an index root over them.
/// <see cref="Measure"/> lays out exactly the cells that <see cref="Emit"/> adds, in the same order.
/// </summary>
internal static class SubkeyListEmitter
{
    /// <summary>Subkeys that fit in a leaf in a bin of one page; Windows splits its leaves at the same size.</summary>
    public const int LeafLimit =
        (BinField.Page - BinField.HeaderSize - CellField.SizeLength - ListField.Elements) / ListField.HintedElement;

    public static void Measure(int subkeys, BinLayout layout)
    {
        for (var start = 0; start < subkeys; start += LeafLimit)
        {
            layout.Place(ListField.Elements + (Math.Min(LeafLimit, subkeys - start) * ListField.HintedElement));
        }

        if (subkeys > LeafLimit)
        {
            layout.Place(ListField.Elements + (LeafCount(subkeys) * ListField.PlainElement));
        }
    }

    /// <param name="subkeys">Sorted by upcased name.</param>
    /// <param name="offsets">The offset of each subkey.</param>
    /// <param name="emitter">Receives the cells.</param>
    public static CellOffset Emit(ImmutableArray<HiveKey> subkeys, ReadOnlySpan<CellOffset> offsets, BinEmitter emitter)
    {
        if (subkeys.IsEmpty)
        {
            return CellOffset.None;
        }

        if (subkeys.Length <= LeafLimit)
        {
            return EmitLeaf(subkeys.AsSpan(), offsets, emitter);
        }

        var leaves = new CellOffset[LeafCount(subkeys.Length)];
        for (var i = 0; i < leaves.Length; i++)
        {
            var start = i * LeafLimit;
            var count = Math.Min(LeafLimit, subkeys.Length - start);
            leaves[i] = EmitLeaf(subkeys.AsSpan(start, count), offsets.Slice(start, count), emitter);
        }

        var root = new CellWriter(emitter.Add(ListField.Elements + (leaves.Length * ListField.PlainElement), out var offset));
        root.U16(ListField.Signature, Signatures.IndexRoot);
        root.U16(ListField.Count, leaves.Length);
        for (var i = 0; i < leaves.Length; i++)
        {
            root.Offset(ListField.Elements + (i * ListField.PlainElement), leaves[i]);
        }

        return offset;
    }

    private static CellOffset EmitLeaf(ReadOnlySpan<HiveKey> subkeys, ReadOnlySpan<CellOffset> offsets, BinEmitter emitter)
    {
        var leaf = new CellWriter(emitter.Add(ListField.Elements + (subkeys.Length * ListField.HintedElement), out var offset));
        leaf.U16(ListField.Signature, Signatures.HashLeaf);
        leaf.U16(ListField.Count, subkeys.Length);
        for (var i = 0; i < subkeys.Length; i++)
        {
            var element = ListField.Elements + (i * ListField.HintedElement);
            leaf.Offset(element, offsets[i]);
            leaf.U32(element + ListField.PlainElement, RegistryName.Hash(subkeys[i].Name));
        }

        return offset;
    }

    private static int LeafCount(int subkeys) => (subkeys + LeafLimit - 1) / LeafLimit;
}
