namespace CimConvert.TestKit.Oracles;

/// <summary>A file, directory or link that a CIM must have: what <c>ls -R --json --hash</c> is to print of it.</summary>
public sealed record OracleEntry
{
    public required string Path { get; init; }

    /// <summary>One of <c>file</c>, <c>directory</c>, <c>symlink</c>, <c>mountpoint</c>.</summary>
    public required string Type { get; init; }

    public required uint Attributes { get; init; }

    public required long Size { get; init; }

    public required long CreationTime { get; init; }

    public required long LastWriteTime { get; init; }

    public required long ChangeTime { get; init; }

    public required long LastAccessTime { get; init; }

    /// <summary>Lower-case hex, as all the byte fields; empty where there is none.</summary>
    public required string Sd { get; init; }

    public required string Ea { get; init; }

    public required string Reparse { get; init; }

    /// <summary>Alternate streams, sorted by upcased name.</summary>
    public required IReadOnlyList<OracleStream> Streams { get; init; }

    /// <summary>Of the main stream; null for all but files.</summary>
    public required string? Sha256 { get; init; }

    /// <summary>Entries with the same number are one file.</summary>
    public required int LinkGroup { get; init; }
}

/// <summary>An alternate stream that a file must have.</summary>
public sealed record OracleStream(string Name, long Size, string Sha256);
