namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>A CIM read whole. Flags are as they stand in the file; nothing is interpreted.</summary>
public sealed record WalkedCim
{
    /// <summary>All names but the root's, each directory's in the order of its table, children behind their directory.</summary>
    public required IReadOnlyList<WalkedEntry> Entries { get; init; }

    public required WalkedEntry Root { get; init; }

    /// <summary>Entries of the file table, reached or not.</summary>
    public required int FileTableLength { get; init; }

    /// <summary>Used entries of the file table that no name leads to.</summary>
    public required IReadOnlyList<uint> UnreachedFiles { get; init; }

    /// <summary>The sets regions are numbered over: parents first, the CIM's own last.</summary>
    public required IReadOnlyList<WalkedRegionSet> RegionSets { get; init; }

    /// <summary>How many object ID entries were checked against the data they describe.</summary>
    public required int ObjectIds { get; init; }
}

/// <summary>A set of region files with one GUID.</summary>
public sealed record WalkedRegionSet(Guid Id, int Count);

/// <summary>A name in a CIM and the file it leads to. Two entries with one <see cref="FileId"/> are hard links.</summary>
public sealed record WalkedEntry
{
    /// <summary>With <c>\</c>; empty for the root.</summary>
    public required string Path { get; init; }

    public required uint FileId { get; init; }

    public required uint ParentFileId { get; init; }

    public required bool IsDirectory { get; init; }

    public required ushort Flags { get; init; }

    public required long CreationTime { get; init; }

    public required long LastWriteTime { get; init; }

    public required long ChangeTime { get; init; }

    public required long LastAccessTime { get; init; }

    public required uint ReparseTag { get; init; }

    public required byte[] Reparse { get; init; }

    public required byte[] SecurityDescriptor { get; init; }

    public required byte[] ExtendedAttributes { get; init; }

    /// <summary>The main stream; null for directories.</summary>
    public required WalkedStream? Data { get; init; }

    /// <summary>Alternate streams in the order of their table.</summary>
    public required IReadOnlyList<WalkedStream> AlternateStreams { get; init; }
}

/// <summary>A stream that was read to its end. The main stream's name is empty.</summary>
public sealed record WalkedStream(string Name, long Length, bool IsPeImage, bool IsSparse, string Sha256);
