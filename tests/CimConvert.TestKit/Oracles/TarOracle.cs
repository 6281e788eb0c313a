namespace CimConvert.TestKit.Oracles;

/// <summary>
/// Says what an image of layer tars must contain, from the rules alone: what hcsshim does with a layer, and what cimconvert does
/// otherwise. Slow and plain on purpose; it shares no line with the product it judges.
/// </summary>
public sealed class TarOracle
{
    private readonly OracleNode root = OracleNode.Root();
    private int layers;

    /// <summary>Whether layers are a whole image's: hives and the <c>layout</c> file are added, their rules hold.</summary>
    public bool StandardFiles { get; init; } = true;

    /// <summary>
    /// What a child layer's merged hives are: layer index (base 0) and hive name to the bytes of <c>Hives\NAME_BASE</c>,
    /// null where the layer gets none. Merging itself is judged elsewhere.
    /// </summary>
    public Func<int, string, byte[]?>? MergedHives { get; init; }

    /// <summary>The entries of an image of these layers, base first.</summary>
    public static IReadOnlyList<OracleEntry> Apply(params byte[][] tars)
    {
        TarOracle oracle = new();
        foreach (byte[] tar in tars)
        {
            oracle.Add(tar);
        }

        return oracle.Entries();
    }

    public TarOracle Add(byte[] tar) => Add(new MemoryStream(tar, writable: false));

    /// <summary>Puts the next layer on top: links first, as they see the layers below unhidden; then what it hides; then what it has.</summary>
    public TarOracle Add(Stream tar)
    {
        OracleLayer layer = OracleLayer.Read(tar, StandardFiles);
        layer.ResolveLinks(root);
        if (StandardFiles && layers == 0)
        {
            OracleStandardFiles.CloseBase(layer);
        }
        else if (StandardFiles && MergedHives is not null)
        {
            int index = layers;
            OracleStandardFiles.CloseChild(layer, hive => MergedHives(index, hive));
        }

        foreach (string[] hidden in layer.Whiteouts)
        {
            root.Remove(hidden);
        }

        foreach (string[] directory in layer.OpaqueDirectories)
        {
            root.Find(directory)?.Children.Clear();
        }

        Overlay(root, layer.Root);
        layers++;
        return this;
    }

    /// <summary>The tree so far, sorted by upcased path, component by component. The root has no entry.</summary>
    public IReadOnlyList<OracleEntry> Entries()
    {
        List<OracleEntry> entries = [];
        Dictionary<OracleFile, int> groups = new(ReferenceEqualityComparer.Instance);
        Collect(root, "", entries, groups);
        return entries;
    }

    private static void Overlay(OracleNode lower, OracleNode upper)
    {
        foreach ((string key, OracleNode above) in upper.Children)
        {
            if (!above.IsDirectory || lower.Children.GetValueOrDefault(key) is not { IsDirectory: true } below)
            {
                lower.Children[key] = above;
                continue;
            }

            if (!above.Implicit)
            {
                below.Name = above.Name;
                below.File = above.File;
            }

            Overlay(below, above);
        }
    }

    private static void Collect(OracleNode directory, string prefix, List<OracleEntry> entries, Dictionary<OracleFile, int> groups)
    {
        foreach (OracleNode node in directory.Children.Values)
        {
            OracleFile file = node.File;
            if (!groups.TryGetValue(file, out int group))
            {
                group = groups.Count;
                groups.Add(file, group);
            }

            entries.Add(Entry(prefix + node.Name, file, group));
            Collect(node, prefix + node.Name + "\\", entries, groups);
        }
    }

    private static OracleEntry Entry(string path, OracleFile file, int group) => new()
    {
        Path = path,
        Type = file.Kind switch
        {
            OracleKind.File => "file",
            OracleKind.Directory => "directory",
            OracleKind.Symlink => "symlink",
            _ => "mountpoint",
        },
        Attributes = file.Attributes,
        Size = file.Size,
        CreationTime = file.CreationTime,
        LastWriteTime = file.LastWriteTime,
        ChangeTime = file.ChangeTime,
        LastAccessTime = file.LastAccessTime,
        Sd = Convert.ToHexStringLower(file.SecurityDescriptor),
        Ea = Convert.ToHexStringLower(file.ExtendedAttributes),
        Reparse = Convert.ToHexStringLower(file.Reparse),
        Streams = [.. file.Streams.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)],
        Sha256 = file.Sha256,
        LinkGroup = group,
    };
}
