namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes a value: the cells of its data, then its own. <see cref="Measure"/> lays out exactly the cells that <see cref="Emit"/>
/// adds, in the same order.
/// </summary>
internal static class ValueEmitter
{
    public static void Measure(in HiveValue value, BinLayout layout)
    {
        var size = value.Data.Length;
        if (size > BigDataField.SegmentSize)
        {
            var count = SegmentCount(size);
            if (count > ushort.MaxValue)
            {
                throw RegfError.Hive($"value '{value.Name}' of {size} bytes is larger than {ushort.MaxValue} segments hold");
            }

            for (var start = 0; start < size; start += BigDataField.SegmentSize)
            {
                layout.Place(Math.Min(size - start, BigDataField.SegmentSize) + BigDataField.SegmentSlack);
            }

            layout.Place(count * OffsetList.Element);
            layout.Place(BigDataField.Size);
        }
        else if (size > ValueField.MaxInline)
        {
            layout.Place(size);
        }

        layout.Place(ValueField.Name + RegistryName.StoredLength(value.Name));
    }

    public static CellOffset Emit(in HiveValue value, BinEmitter emitter)
    {
        var size = value.Data.Length;
        var data = size switch
        {
            > BigDataField.SegmentSize => EmitSegments(value.Data.Span, emitter),
            > ValueField.MaxInline => EmitData(value.Data.Span, emitter),
            _ => CellOffset.None,
        };

        var nameLength = RegistryName.StoredLength(value.Name);
        var cell = new CellWriter(emitter.Add(ValueField.Name + nameLength, out var offset));
        var flags = nameLength == value.Name.Length && nameLength > 0 ? ValueField.CompressedName : 0;
        cell.U16(ValueField.Signature, Signatures.Value);
        cell.U16(ValueField.NameLength, nameLength);
        cell.U32(ValueField.Type, value.Type);
        RegistryName.Store(value.Name, cell.Rest(ValueField.Name));
        if (value.IsTombstone)
        {
            cell.Offset(ValueField.Data, CellOffset.None);
            cell.U16(ValueField.Flags, flags | ValueField.Tombstone);
            return offset;
        }

        cell.U16(ValueField.Flags, flags);
        if (size <= ValueField.MaxInline)
        {
            cell.U32(ValueField.DataSize, (uint)size | ValueField.InlineBit);
            value.Data.Span.CopyTo(cell.Rest(ValueField.Data));
        }
        else
        {
            cell.U32(ValueField.DataSize, (uint)size);
            cell.Offset(ValueField.Data, data);
        }

        return offset;
    }

    private static CellOffset EmitData(ReadOnlySpan<byte> data, BinEmitter emitter)
    {
        data.CopyTo(emitter.Add(data.Length, out var offset));
        return offset;
    }

    private static CellOffset EmitSegments(ReadOnlySpan<byte> data, BinEmitter emitter)
    {
        var segments = new CellOffset[SegmentCount(data.Length)];
        for (var i = 0; i < segments.Length; i++)
        {
            var rest = data[(i * BigDataField.SegmentSize)..];
            var segment = rest[..Math.Min(rest.Length, BigDataField.SegmentSize)];
            segment.CopyTo(emitter.Add(segment.Length + BigDataField.SegmentSlack, out segments[i]));
        }

        var list = new CellWriter(emitter.Add(segments.Length * OffsetList.Element, out var listOffset));
        for (var i = 0; i < segments.Length; i++)
        {
            list.Offset(i * OffsetList.Element, segments[i]);
        }

        var head = new CellWriter(emitter.Add(BigDataField.Size, out var offset));
        head.U16(BigDataField.Signature, Signatures.BigData);
        head.U16(BigDataField.Count, segments.Length);
        head.Offset(BigDataField.SegmentList, listOffset);
        return offset;
    }

    private static int SegmentCount(int size) => (int)(((long)size + BigDataField.SegmentSize - 1) / BigDataField.SegmentSize);
}
