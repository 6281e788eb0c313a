using System.Security.Cryptography;

namespace CimConvert.TestKit.Oracles;

/// <summary>What one tar says by itself: its own entries as a tree, what it hides below, and its links in tar order.</summary>
internal sealed class OracleLayer
{
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueName = ".wh..wh..opq";

    private readonly bool standardFiles;
    private readonly List<(string[] Path, OracleNode Node)> links = [];

    private OracleLayer(bool standardFiles)
    {
        this.standardFiles = standardFiles;
    }

    public OracleNode Root { get; } = OracleNode.Root();

    public List<string[]> Whiteouts { get; } = [];

    public List<string[]> OpaqueDirectories { get; } = [];

    public static OracleLayer Read(Stream tar, bool standardFiles)
    {
        OracleLayer layer = new(standardFiles);
        OracleTar reader = new(tar);
        while (reader.Next() is OracleTarEntry entry)
        {
            layer.Take(entry, reader);
        }

        return layer;
    }

    /// <summary>Puts a node at a path; what is in its way goes, and parents nobody described are made.</summary>
    public void Put(string[] path, OracleNode node)
    {
        OracleNode parent = Root;
        foreach (string name in path[..^1])
        {
            string key = OracleNode.Key(name);
            if (!parent.Children.TryGetValue(key, out OracleNode? next) || !next.IsDirectory)
            {
                next = OracleNode.ImplicitDirectory(name);
                parent.Children[key] = next;
            }

            parent = next;
        }

        string last = OracleNode.Key(path[^1]);
        OracleNode? old = parent.Children.GetValueOrDefault(last);
        bool update = old is { IsDirectory: true } && node.IsDirectory;
        parent.Children[last] = update ? new OracleNode(node.Name, node.File) { Children = old!.Children } : node;
    }

    /// <summary>Gives every link its file: this layer's own, else the one the layers below have.</summary>
    public void ResolveLinks(OracleNode below)
    {
        foreach ((string[] path, OracleNode node) in links)
        {
            if (!ReferenceEquals(Root.Find(path), node))
            {
                continue; // A later entry of the tar took the name.
            }

            string[] target = node.PendingTarget!;
            OracleNode? own = Root.Find(target);
            OracleNode found = own is { PendingTarget: null } ? own : below.Find(target)
                ?? throw new OracleException($"{string.Join('\\', path)} links to {string.Join('\\', target)}, which is nowhere");
            if (found.IsDirectory)
            {
                throw new OracleException($"{string.Join('\\', path)} links to the directory {string.Join('\\', target)}");
            }

            node.File = found.File;
            node.PendingTarget = null;
        }
    }

    private static string[] Split(string name)
    {
        string[] parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        parts = [.. parts.Where(part => part != ".")];
        if (parts.Contains("..", StringComparer.Ordinal) || name.Contains('\\', StringComparison.Ordinal))
        {
            throw new OracleException($"the rules do not say what the name '{name}' means");
        }

        return parts;
    }

    private static (long Size, string Sha256) ReadContent(OracleTar tar)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 16];
        long size = 0;
        int read;
        while ((read = tar.Read(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            size += read;
        }

        return (size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private void Take(OracleTarEntry entry, OracleTar tar)
    {
        string[] path = Split(entry.Name);
        if (path.Length == 0)
        {
            return; // The root: a CIM's root has no entry in a listing.
        }

        if (path[^1].StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
        {
            TakeWhiteout(path);
        }
        else if (path.Any(part => part.Contains(':', StringComparison.Ordinal)))
        {
            TakeStream(entry, path, tar);
        }
        else
        {
            TakeEntry(entry, path, tar);
        }
    }

    private void TakeWhiteout(string[] path)
    {
        if (path[^1] == OpaqueName)
        {
            OpaqueDirectories.Add(path[..^1]);
        }
        else if (path[^1].Length == WhiteoutPrefix.Length)
        {
            throw new OracleException("a whiteout of nothing: " + string.Join('/', path));
        }
        else
        {
            Whiteouts.Add([.. path[..^1], path[^1][WhiteoutPrefix.Length..]]);
        }
    }

    private void TakeStream(OracleTarEntry entry, string[] path, OracleTar tar)
    {
        string[] parts = path[^1].Split(':');
        bool named = parts.Length is 2 or 3 && parts[0].Length > 0 && parts[1].Length > 0;
        bool data = parts.Length < 3 || string.Equals(parts[2], "$DATA", StringComparison.OrdinalIgnoreCase);
        if (!named || !data || entry.Type != '0' || path[..^1].Any(part => part.Contains(':', StringComparison.Ordinal)))
        {
            throw new OracleException("not a name of an alternate stream: " + entry.Name);
        }

        string[] file = [.. path[..^1], parts[0]];
        RefuseStandard(file, "an alternate stream");
        if (Root.Find(file) is not { PendingTarget: null, Implicit: false } node)
        {
            throw new OracleException("no file in this layer for the stream " + entry.Name);
        }

        (long size, string sha256) = ReadContent(tar);
        node.File.Streams[OracleNode.Key(parts[1])] = new OracleStream(parts[1], size, sha256);
    }

    private void TakeEntry(OracleTarEntry entry, string[] path, OracleTar tar)
    {
        switch (entry.Type)
        {
            case '0' or '7':
                (long size, string sha256) = ReadContent(tar);
                Put(path, new OracleNode(path[^1], OracleMetadata.Read(entry, OracleKind.File, size, sha256)));
                break;
            case '1':
                TakeLink(path, Split(entry.LinkName));
                break;
            case '2':
                OracleKind kind = entry.Pax.ContainsKey("MSWINDOWS.mountpoint") ? OracleKind.MountPoint : OracleKind.Symlink;
                Put(path, new OracleNode(path[^1], OracleMetadata.Read(entry, kind, 0, null)));
                break;
            case '5':
                Put(path, new OracleNode(path[^1], OracleMetadata.Read(entry, OracleKind.Directory, 0, null)));
                break;
            default:
                throw new OracleException($"the rules do not say what type '{entry.Type}' of {entry.Name} becomes");
        }
    }

    private void TakeLink(string[] path, string[] target)
    {
        RefuseStandard(path, "a link");
        // The placeholder holds the name from here on, so that a later entry of the tar can take it away again.
        OracleNode node = new(path[^1], new OracleFile { Kind = OracleKind.File, Attributes = 0 }) { PendingTarget = target };
        Put(path, node);
        links.Add((path, node));
    }

    private void RefuseStandard(string[] path, string what)
    {
        if (standardFiles && OracleStandardFiles.IsStandard(path))
        {
            throw new OracleException($"{what} is named like the standard file {string.Join('\\', path)}");
        }
    }
}
