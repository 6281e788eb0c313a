namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>
/// What the walker found, as the lines <c>ls -R --json --hash</c> should print: <see cref="OracleDiff"/> can judge a CIM of the
/// product's without the product's own reader. For CIMs without the flags that cimconvert adds to the format.
/// </summary>
public static class WalkedListing
{
    private const uint MountPointTag = 0xA0000003;

    // CIM flag, Win32 attribute.
    private static readonly (ushort Flag, uint Attribute)[] Attributes = [(1, 0x01), (2, 0x02), (4, 0x04), (8, 0x20), (16, 0x200)];

    public static IReadOnlyList<ListedEntry> Of(WalkedCim cim) =>
        [.. cim.Entries.Select(Line).OrderBy(line => line.Path.Split('\\').Select(OracleNode.Key).ToArray(), ComponentOrder.Instance)];

    private static ListedEntry Line(WalkedEntry entry)
    {
        if ((entry.Flags & ~0x1f) != 0)
        {
            throw new CimWalkException($"{entry.Path} has flags 0x{entry.Flags:x}, which are no Win32 attributes");
        }

        uint attributes = Attributes.Where(pair => (entry.Flags & pair.Flag) != 0).Aggregate(0u, (all, pair) => all | pair.Attribute);
        attributes |= (entry.IsDirectory ? 0x10u : 0) | (entry.ReparseTag != 0 ? 0x400u : 0);
        return new ListedEntry
        {
            Path = entry.Path,
            Type = Kind(entry),
            Attributes = attributes == 0 ? 0x80 : attributes,
            Size = entry.Data?.Length ?? 0,
            CreationTime = entry.CreationTime,
            LastWriteTime = entry.LastWriteTime,
            ChangeTime = entry.ChangeTime,
            LastAccessTime = entry.LastAccessTime,
            Sd = Convert.ToHexString(entry.SecurityDescriptor),
            Ea = Convert.ToHexString(entry.ExtendedAttributes),
            Reparse = Convert.ToHexString(entry.Reparse),
            Streams = [.. entry.AlternateStreams.Select(stream => new ListedStream { Name = stream.Name, Size = stream.Length, Sha256 = stream.Sha256 })],
            FileId = entry.FileId,
            Sha256 = entry.Data?.Sha256,
        };
    }

    private static string Kind(WalkedEntry entry) => entry.ReparseTag switch
    {
        0 => entry.IsDirectory ? "directory" : "file",
        MountPointTag => "mountpoint",
        _ => "symlink",
    };

    private sealed class ComponentOrder : IComparer<string[]>
    {
        public static ComponentOrder Instance { get; } = new();

        public int Compare(string[]? x, string[]? y)
        {
            foreach ((string left, string right) in x!.Zip(y!))
            {
                int order = string.CompareOrdinal(left, right);
                if (order != 0)
                {
                    return order;
                }
            }

            return x!.Length - y!.Length;
        }
    }
}
