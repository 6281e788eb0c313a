namespace CimConvert.Formats.Regf;

// Field offsets inside each record. FORMAT.md gives the source of each.

/// <summary>The base block: the file's first 4096 bytes.</summary>
internal static class BaseBlockField
{
    public const int Signature = 0;
    public const int PrimarySequence = 4;
    public const int SecondarySequence = 8;
    public const int LastWritten = 12;
    public const int MajorVersion = 20;
    public const int MinorVersion = 24;
    public const int FileType = 28;
    public const int FileFormat = 32;
    public const int RootCell = 36;
    public const int BinsSize = 40;
    public const int ClusteringFactor = 44;
    public const int FileName = 48;
    public const int FileNameLength = 64;
    public const int Flags = 144;
    public const int Checksum = 508;
    public const int Size = 4096;
}

/// <summary>The header of a hive bin; its cells follow without gaps.</summary>
internal static class BinField
{
    public const int Signature = 0;
    public const int Offset = 4;
    public const int Size = 8;
    public const int LastWritten = 20;
    public const int HeaderSize = 32;

    /// <summary>A bin is a whole number of pages of this size.</summary>
    public const int Page = 4096;
}

/// <summary>The header of a cell: its size, negative if the cell is in use.</summary>
internal static class CellField
{
    public const int SizeLength = 4;
    public const int Alignment = 8;
}

/// <summary>nk: a key.</summary>
internal static class KeyField
{
    public const int Signature = 0;
    public const int Flags = 2;
    public const int LastWritten = 4;
    public const int AccessBits = 12;
    public const int Layer = 13;
    public const int Parent = 16;
    public const int SubkeyCount = 20;
    public const int VolatileSubkeyCount = 24;
    public const int SubkeyList = 28;
    public const int VolatileSubkeyList = 32;
    public const int ValueCount = 36;
    public const int ValueList = 40;
    public const int Security = 44;
    public const int ClassName = 48;
    public const int LargestSubkeyName = 52;
    public const int ControlFlags = 54;
    public const int DebugFlags = 55;
    public const int LargestSubkeyClass = 56;
    public const int LargestValueName = 60;
    public const int LargestValueData = 64;
    public const int NameLength = 72;
    public const int ClassNameLength = 74;
    public const int Name = 76;

    public const byte LayerSemanticsMask = 0x03;
    public const byte InheritClassBit = 0x80;
}

/// <summary>vk: a value.</summary>
internal static class ValueField
{
    public const int Signature = 0;
    public const int NameLength = 2;
    public const int DataSize = 4;
    public const int Data = 8;
    public const int Type = 12;
    public const int Flags = 16;
    public const int Name = 20;

    /// <summary>Set in the data size if the data is stored in the offset field itself.</summary>
    public const uint InlineBit = 0x8000_0000;

    public const int MaxInline = 4;
    public const ushort CompressedName = 0x0001;
    public const ushort Tombstone = 0x0002;
}

/// <summary>sk: a security descriptor. All of a hive form a doubly linked ring.</summary>
internal static class SecurityField
{
    public const int Signature = 0;
    public const int Next = 4;
    public const int Previous = 8;
    public const int ReferenceCount = 12;
    public const int DescriptorSize = 16;
    public const int Descriptor = 20;
}

/// <summary>li, lf and lh: lists of subkeys. ri: a list of such lists.</summary>
internal static class ListField
{
    public const int Signature = 0;
    public const int Count = 2;
    public const int Elements = 4;

    /// <summary>li and ri: an offset.</summary>
    public const int PlainElement = 4;

    /// <summary>lf and lh: an offset and a hint or hash.</summary>
    public const int HintedElement = 8;
}

/// <summary>db: the header of a value's data that is stored in segments.</summary>
internal static class BigDataField
{
    public const int Signature = 0;
    public const int Count = 2;
    public const int SegmentList = 4;
    public const int Size = 8;

    /// <summary>Bytes of every segment except the last.</summary>
    public const int SegmentSize = 16_344;

    /// <summary>
    /// Unused bytes after a segment's data. A full segment has them anyway, because of its alignment; hivex (lib/value.c) expects
    /// them in the last segment, too, and would otherwise cut its data short.
    /// </summary>
    public const int SegmentSlack = 4;
}

/// <summary>A list of cell offsets without a header: of values or of data segments.</summary>
internal static class OffsetList
{
    public const int Element = 4;
}

/// <summary>The ASCII letters at the start of a record, two (four for the base block and bins), as little-endian numbers.</summary>
internal static class Signatures
{
    public const uint BaseBlock = 'r' | ('e' << 8) | ('g' << 16) | ('f' << 24);
    public const uint Bin = 'h' | ('b' << 8) | ('i' << 16) | ('n' << 24);
    public const ushort Key = 'n' | ('k' << 8);
    public const ushort Value = 'v' | ('k' << 8);
    public const ushort Security = 's' | ('k' << 8);
    public const ushort IndexLeaf = 'l' | ('i' << 8);
    public const ushort FastLeaf = 'l' | ('f' << 8);
    public const ushort HashLeaf = 'l' | ('h' << 8);
    public const ushort IndexRoot = 'r' | ('i' << 8);
    public const ushort BigData = 'd' | ('b' << 8);
}
