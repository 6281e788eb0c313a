using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Writes a laid-out metadata region front to back. Computes no offsets; it checks that each structure lands on its offset.
/// </summary>
internal static class CimEmitter
{
    public static void Emit(CimLayout layout, AppendWriter to)
    {
        CimHeaders.WriteRegion(to, (ushort)RegionType.Metadata, RegionType.Metadata);
        EmitFilesystemObject(layout, to);
        PadTo(to, layout.FileTableDirectory);
        layout.FileTables.EmitDirectory(to, layout.At(layout.OwnFileTables));
        PadTo(to, layout.OwnFileTables);
        layout.FileTables.EmitTables(to, file => EmitFile(layout, file, to));
        if (layout.InheritedUpcaseTable.IsNull)
        {
            PadTo(to, layout.UpcaseTable);
            to.Bytes(UpcaseTable.Windows.ToBytes());
        }

        EmitBlobs(layout, to);
        foreach (var table in layout.Tables)
        {
            EmitTable(table, to);
        }
    }

    private static void PadTo(AppendWriter to, long offset)
    {
        to.AlignTo(CimFormat.SmallAlignment);
        if (to.Position != offset)
        {
            throw new InvalidOperationException($"metadata laid out at {offset} would be written at {to.Position}");
        }
    }

    private static void EmitFilesystemObject(CimLayout layout, AppendWriter to)
    {
        PadTo(to, layout.FilesystemObject);
        to.U64((layout.InheritedUpcaseTable.IsNull ? layout.At(layout.UpcaseTable) : layout.InheritedUpcaseTable).Value);
        to.U64(layout.At(layout.FileTableDirectory).Value);
        to.U32((uint)layout.FileTables.Count);
        to.U32(layout.Tree.Root.Id);
    }

    private static void EmitFile(CimLayout layout, CimFile file, AppendWriter to)
    {
        if (file.Record is not null)
        {
            EmitInherited(file, file.Record, to);
            return;
        }

        var extendedAttributes = file.ExtendedAttributes == CimFile.NoBlob ? [] : layout.Tree.Blobs[file.ExtendedAttributes];
        to.U16((ushort)file.Flags);
        to.U16((ushort)extendedAttributes.Length);
        to.U32(file.ReparseTag);
        to.I64(file.CreationTime);
        to.I64(file.LastWriteTime);
        to.I64(file.ChangeTime);
        to.I64(file.LastAccessTime);
        EmitStream(file.Data, to);
        to.U64(layout.SizedBlob(file.SecurityDescriptor).Value);
        to.U64(layout.RawBlob(file.ExtendedAttributes).Value);
        to.U64(layout.SizedBlob(file.Reparse).Value);
        to.U64(file.StreamTable.Value);
        to.U32(file.ParentId);
        to.U16(0);
        to.U16(0);
    }

    /// <summary>Writes the parent's record with another default stream and parent directory.</summary>
    private static void EmitInherited(CimFile file, ReadOnlySpan<byte> record, AppendWriter to)
    {
        const int dataOffset = 40, securityDescriptorOffset = dataOffset + CimFormat.StreamSize, parentIdOffset = 88;
        to.Bytes(record[..dataOffset]);
        EmitStream(file.Data, to);
        to.Bytes(record[securityDescriptorOffset..parentIdOffset]);
        to.U32(file.ParentId);
        to.Bytes(record[(parentIdOffset + sizeof(uint))..]);
    }

    private static void EmitStream(CimStream stream, AppendWriter to)
    {
        to.U64(stream.Data.Value);
        to.U64(stream.LengthAndType);
    }

    private static void EmitBlobs(CimLayout layout, AppendWriter to)
    {
        // Both kinds are laid out in one sequence, so they are written in the order of their offsets.
        var blobs = layout.SizedBlobs.Select(b => (b.Blob, b.Offset, Sized: true))
            .Concat(layout.RawBlobs.Select(b => (b.Blob, b.Offset, Sized: false)))
            .OrderBy(b => b.Offset);
        foreach (var (blob, offset, sized) in blobs)
        {
            PadTo(to, offset);
            var bytes = layout.Tree.Blobs[blob];
            if (sized)
            {
                to.U16((ushort)bytes.Length);
            }

            to.Bytes(bytes);
        }
    }

    private static void EmitTable(CimLayout.Table table, AppendWriter to)
    {
        var isStreamTable = table.Streams.Length > 0;
        PadTo(to, (isStreamTable ? table.Owner.StreamTable : table.Owner.Data.Data).Offset);
        var start = to.Position;
        var count = isStreamTable ? table.Streams.Length : table.Links.Length;
        var entrySize = isStreamTable ? CimFormat.StreamSize : sizeof(uint);
        to.U32((uint)table.Size);
        to.U32((uint)count);
        foreach (var link in table.Links)
        {
            to.U32(link.Value.Id);
        }

        foreach (var stream in table.Streams)
        {
            EmitStream(stream.Stream, to);
        }

        var name = (uint)(CimFormat.LinkTableHeaderSize + (count * (entrySize + sizeof(uint))));
        for (var i = 0; i < count; i++)
        {
            to.U32(name);
            name += (uint)(sizeof(ushort) + (NameOf(table, i).Length * sizeof(char)));
        }

        for (var i = 0; i < count; i++)
        {
            to.U16((ushort)NameOf(table, i).Length);
            to.Utf16(NameOf(table, i));
        }

        if (to.Position - start != table.Size)
        {
            throw new InvalidOperationException($"a table of {table.Size} bytes took {to.Position - start}");
        }
    }

    private static string NameOf(CimLayout.Table table, int i) =>
        table.Streams.Length > 0 ? table.Streams[i].Name : table.Links[i].Key;
}
