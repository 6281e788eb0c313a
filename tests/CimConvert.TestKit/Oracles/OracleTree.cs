namespace CimConvert.TestKit.Oracles;

internal enum OracleKind
{
    File,
    Directory,
    Symlink,
    MountPoint,
}

/// <summary>What hard links share: everything of a file but its name.</summary>
internal sealed class OracleFile
{
    private static readonly byte[] NullDacl = [1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public required OracleKind Kind { get; init; }

    public required uint Attributes { get; init; }

    public long CreationTime { get; init; }

    public long LastWriteTime { get; init; }

    public long ChangeTime { get; init; }

    public long LastAccessTime { get; init; }

    public byte[] SecurityDescriptor { get; init; } = NullDacl;

    public byte[] ExtendedAttributes { get; init; } = [];

    public byte[] Reparse { get; init; } = [];

    public long Size { get; init; }

    public string? Sha256 { get; init; }

    public Dictionary<string, OracleStream> Streams { get; init; } = new(StringComparer.Ordinal);

    /// <summary>A directory nobody described: attributes 0x10, zero times, the NULL-DACL descriptor.</summary>
    public static OracleFile ImplicitDirectory() => new() { Kind = OracleKind.Directory, Attributes = OracleAttributes.Directory };
}

/// <summary>A name in a directory, and what it names.</summary>
internal sealed class OracleNode(string name, OracleFile file)
{
    public string Name { get; set; } = name;

    public OracleFile File { get; set; } = file;

    /// <summary>A directory of this layer that only its children imply.</summary>
    public bool Implicit { get; init; }

    /// <summary>A hard link whose target is not looked up yet; <see cref="File"/> does not count until then.</summary>
    public string[]? PendingTarget { get; set; }

    /// <summary>By upcased name.</summary>
    public SortedDictionary<string, OracleNode> Children { get; init; } = new(StringComparer.Ordinal);

    public bool IsDirectory => PendingTarget is null && File.Kind == OracleKind.Directory;

    public static OracleNode Root() => new("", OracleFile.ImplicitDirectory());

    public static OracleNode ImplicitDirectory(string name) => new(name, OracleFile.ImplicitDirectory()) { Implicit = true };

    public static string Key(string name) => string.Create(name.Length, name, static (target, source) =>
    {
        for (int i = 0; i < source.Length; i++)
        {
            target[i] = char.ToUpperInvariant(source[i]);
        }
    });

    public OracleNode? Find(ReadOnlySpan<string> components)
    {
        OracleNode? node = this;
        foreach (string component in components)
        {
            node = node?.Children.GetValueOrDefault(Key(component));
        }

        return node;
    }

    public void Remove(string[] components) => Find(components.AsSpan(..^1))?.Children.Remove(Key(components[^1]));
}
