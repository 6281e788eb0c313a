using System.Text;
using System.Text.Unicode;

namespace CimConvert.Formats.Tar;

/// <summary>
/// Reads the entries of a tar from a stream, one after another, and their data as slices of a buffer.
/// Reads ustar, PAX, GNU and pre-POSIX headers. Sparse, multi-volume and vendor-specific entries are refused.
/// </summary>
/// <remarks>
/// <para>One class of over 300 lines: headers, PAX records and data share the one position in the stream.</para>
/// <para>Malformed input is an <see cref="InvalidDataException"/> with the header's offset.</para>
/// <para>
/// The archive ends at one or two zero blocks, or where the stream ends before a header: Go's and GNU's readers accept
/// archives without an end marker, too. A stream that ends anywhere else, even inside padding, is malformed.
/// </para>
/// <para>Slices and PAX values are valid until the next call that moves the reader.</para>
/// <para>
/// This file has more than 300 lines because headers, extended headers and data share the position in the stream and the offset
/// that errors report.
/// </para>
/// </remarks>
internal sealed class TarReader : IDisposable
{
    /// <summary>The limit of PAX records, because a GNU long name is another way to write the same path.</summary>
    public const int MaxLongNameBytes = PaxRecords.MaxBytes;

    /// <summary>
    /// Bytes after the end of the archive. Writers pad a tar to whole records, usually of 10 KiB, for tapes of some MiB. More
    /// bytes than that are an entry's data behind a header that states too small a size.
    /// </summary>
    public const int MaxTrailingBytes = 16 << 20;

    private const int DefaultBufferSize = 256 * 1024;

    private readonly TarBuffer _buffer;
    private readonly PaxRecords _global = new();
    private readonly PaxRecords _local = new();
    private string? _longName;
    private string? _longLinkName;
    private long _dataLeft;
    private int _padding;
    private bool _ended;

    public TarReader(Stream stream, int bufferSize = DefaultBufferSize) => _buffer = new TarBuffer(stream, bufferSize);

    /// <summary>Offset in the tar of the current entry's own header, which follows its extended headers.</summary>
    public long HeaderOffset { get; private set; }

    /// <summary>Offset in the tar of the current entry's data.</summary>
    public long DataOffset { get; private set; }

    public TarEntryType Type { get; private set; }

    public string Name { get; private set; } = string.Empty;

    /// <summary>A link's target; empty for other entries.</summary>
    public string LinkName { get; private set; } = string.Empty;

    /// <summary>Bytes of data; 0 for all but regular files, whatever the header says.</summary>
    public long Size { get; private set; }

    /// <summary>The header's modification time in whole seconds since 1970; a PAX <c>mtime</c> record is more precise.</summary>
    public long MtimeSeconds { get; private set; }

    /// <summary>The PAX records of the entry's own extended header.</summary>
    public PaxRecords Records => _local;

    /// <summary>The PAX records of the global extended headers so far.</summary>
    public PaxRecords GlobalRecords => _global;

    /// <summary>Moves to the next entry, skipping the rest of the current one's data; false at the end of the archive.</summary>
    public bool MoveNext()
    {
        SkipData();
        _local.Clear();
        (_longName, _longLinkName) = (null, null);
        var hasExtendedHeader = false;
        while (ReadHeader(out var header))
        {
            var type = header.Type;
            switch (type)
            {
                case (byte)'x' when _local.Count > 0:
                    throw Bad("a second extended header for one entry");
                case (byte)'x':
                    ReadRecords(header, _local);
                    break;
                case (byte)'g':
                    ReadRecords(header, _global);
                    RefuseGlobalNames();
                    break;
                case (byte)'L' when _longName is not null:
                case (byte)'K' when _longLinkName is not null:
                    throw Bad("a second long name for one entry");
                case (byte)'L':
                    _longName = ReadLongName(header);
                    break;
                case (byte)'K':
                    _longLinkName = ReadLongName(header);
                    break;
                default:
                    ReadEntry(header);
                    return true;
            }

            hasExtendedHeader |= type != (byte)'g';
        }

        return hasExtendedHeader ? throw Bad("an extended header without the entry it describes") : false;
    }

    /// <summary>The entry's value for a PAX keyword, else the global one. An empty value counts as found.</summary>
    public bool TryGetPax(ReadOnlySpan<byte> keyword, out ReadOnlySpan<byte> value) =>
        _local.TryGet(keyword, out value) || _global.TryGet(keyword, out value);

    /// <summary>Reads the next slice of the entry's data, never empty; false at the end of the data.</summary>
    public bool TryReadData(out ReadOnlySpan<byte> slice)
    {
        if (_dataLeft == 0)
        {
            slice = default;
            return false;
        }

        slice = _buffer.Take(_dataLeft);
        if (slice.IsEmpty)
        {
            throw Bad($"the stream ends {_dataLeft} bytes before the end of the entry's data");
        }

        _dataLeft -= slice.Length;
        return true;
    }

    /// <summary>Reads the stream to its end, so that streams below it have hashed all of it. Returns the number of bytes.</summary>
    /// <exception cref="InvalidDataException">There are more than <see cref="MaxTrailingBytes"/> bytes.</exception>
    public long Drain()
    {
        SkipData();
        var start = _buffer.Position;
        while (!_buffer.Take(int.MaxValue).IsEmpty)
        {
            if (_buffer.Position - start > MaxTrailingBytes)
            {
                throw new InvalidDataException($"more than {MaxTrailingBytes} bytes after the archive's end at offset {start}");
            }
        }

        _ended = true;
        return _buffer.Position - start;
    }

    public void Dispose()
    {
        _buffer.Dispose();
        _global.Dispose();
        _local.Dispose();
    }

    /// <summary>Reads the next header; false at the end of the archive. The header is valid until the buffer moves.</summary>
    private bool ReadHeader(out TarHeader header)
    {
        header = default;
        if (_ended)
        {
            return false;
        }

        HeaderOffset = _buffer.Position;
        if (!TryTakeBlock(out var block))
        {
            _ended = true;
            return false;
        }

        header = new TarHeader(block);
        if (header.IsZero)
        {
            _ended = true;
            return TryTakeBlock(out block) && !new TarHeader(block).IsZero ? throw Bad("a single zero block between headers") : false;
        }

        return header.HasValidChecksum() ? true : throw Bad("a wrong header checksum");
    }

    private bool TryTakeBlock(out ReadOnlySpan<byte> block)
    {
        if (!_buffer.TryPeekHeader(out block, out var available))
        {
            return available == 0 ? false : throw Bad("the stream ends inside a header");
        }

        _buffer.Skip(TarHeader.Size);
        return true;
    }

    private void ReadEntry(in TarHeader header)
    {
        Type = TypeOf(header);
        RefuseSparse();
        Name = NameFor("path"u8, _longName) ?? HeaderName(header);
        LinkName = Type is TarEntryType.HardLink or TarEntryType.SymbolicLink
            ? NameFor("linkpath"u8, _longLinkName) ?? Text(header.LinkName, "link name")
            : string.Empty;
        MtimeSeconds = header.TryGetMtime(out var seconds) ? seconds : throw Bad("an unreadable modification time");
        var size = SizeOf(header);
        if (_local.TryGet("size"u8, out var text) && !text.IsEmpty && !TarNumber.TryReadDecimal(text, out size))
        {
            throw Bad("an unreadable PAX size");
        }

        // Links, directories and devices have no data even if their header states a size, as in Go's archive/tar.
        BeginData(Size = Type == TarEntryType.RegularFile ? size : 0);
        DataOffset = _buffer.Position;
    }

    private TarEntryType TypeOf(in TarHeader header) => header.Type switch
    {
        // In pre-POSIX headers a directory is a file whose name ends in a slash.
        0 => header.Name.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.RegularFile,
        (byte)'0' => TarEntryType.RegularFile,
        (byte)'1' => TarEntryType.HardLink,
        (byte)'2' => TarEntryType.SymbolicLink,
        (byte)'3' => TarEntryType.CharacterDevice,
        (byte)'4' => TarEntryType.BlockDevice,
        (byte)'5' => TarEntryType.Directory,
        (byte)'6' => TarEntryType.Fifo,
        // A contiguous file; POSIX lets readers treat it as a regular file.
        (byte)'7' => TarEntryType.RegularFile,
        (byte)'S' => throw Bad("a GNU sparse file, which is not supported"),
        _ => throw Bad($"an entry of the unknown type {(header.Type is > 0x20 and < 0x7f ? $"'{(char)header.Type}'" : $"0x{header.Type:x2}")}"),
    };

    private void RefuseSparse()
    {
        for (var i = 0; i < _local.Count; i++)
        {
            if (_local.Keyword(i).StartsWith("GNU.sparse."u8))
            {
                throw Bad("a GNU sparse file, which is not supported");
            }
        }
    }

    /// <summary>A GNU long name wins over a PAX record, as in Go's archive/tar. An empty record counts as none.</summary>
    private string? NameFor(ReadOnlySpan<byte> keyword, string? longName) => longName
        ?? (_local.TryGet(keyword, out var value) && !value.IsEmpty ? Text(value, "PAX name") : null);

    private string HeaderName(in TarHeader header) => header.Prefix.IsEmpty
        ? Text(header.Name, "name")
        : Text(header.Prefix, "name") + "/" + Text(header.Name, "name");

    private void ReadRecords(in TarHeader header, PaxRecords records)
    {
        var length = MetadataLength(header, records.Room);
        ReadMetadata(records.Extend(length));
        if (records.Index(length) is { } problem)
        {
            throw Bad(problem);
        }
    }

    /// <summary>
    /// Refuses a global name or size: applied to all later entries it breaks the archive, and ignoring it changes its meaning.
    /// </summary>
    private void RefuseGlobalNames()
    {
        if (_global.TryGet("path"u8, out _) || _global.TryGet("linkpath"u8, out _) || _global.TryGet("size"u8, out _))
        {
            throw Bad("a global extended header that sets a path, linkpath or size");
        }
    }

    private string ReadLongName(in TarHeader header)
    {
        var bytes = new byte[MetadataLength(header, MaxLongNameBytes)];
        ReadMetadata(bytes);
        return Text(bytes.AsSpan().TrimEnd((byte)0), "long name");
    }

    private int MetadataLength(in TarHeader header, int limit)
    {
        var size = SizeOf(header);
        return size <= limit ? (int)size : throw Bad($"an extended header of {size} bytes, more than {limit}");
    }

    private void ReadMetadata(Span<byte> target)
    {
        BeginData(target.Length);
        while (TryReadData(out var slice))
        {
            slice.CopyTo(target);
            target = target[slice.Length..];
        }

        SkipData();
    }

    private void BeginData(long size)
    {
        _dataLeft = size;
        _padding = (int)(-size & (TarHeader.Size - 1));
    }

    private void SkipData()
    {
        SkipDataLeft();
        (_dataLeft, _padding) = (_padding, 0);
        SkipDataLeft();
    }

    private void SkipDataLeft()
    {
        if (_buffer.TrySeek(_dataLeft))
        {
            _dataLeft = 0;
        }

        while (TryReadData(out _))
        {
        }
    }

    private long SizeOf(in TarHeader header) => header.TryGetSize(out var size) ? size : throw Bad("an unreadable size");

    private string Text(ReadOnlySpan<byte> bytes, string what)
    {
        if (!Utf8.IsValid(bytes))
        {
            throw Bad($"a {what} that is not UTF-8");
        }

        return bytes.Contains((byte)0) ? throw Bad($"a {what} with a NUL") : Encoding.UTF8.GetString(bytes);
    }

    private InvalidDataException Bad(string problem) => new($"tar header at offset {HeaderOffset}: {problem}");
}
