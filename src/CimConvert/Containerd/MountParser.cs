using System.Text.Json;

namespace CimConvert.Containerd;

/// <summary>Reads the mounts of the snapshotters cimfs and blockcim (containerd, plugins/snapshots/windows, core/mount/mount_windows.go).</summary>
internal static class MountParser
{
    public const string CimFsType = "CimFS";
    public const string BlockCimType = "BlockCIM";

    private const string CimPath = "cimpath=";
    private const string ParentFolders = "parentLayerPaths=";
    private const string ParentCims = "parentCimPaths=";
    private const string BlockType = "blockCIMType=";
    private const string Merged = "mergedCIMPath=";
    private const string File = "file";
    private const string Integrity = "enable_layer_integrity";
    private const string Footer = "append_vhd_footer";
    private const string LayerFile = "layer.vhd";

    public static SnapshotMount Parse(Api.Mount mount) => mount.Type switch
    {
        CimFsType => ParseCimFs(mount),
        BlockCimType => ParseBlockCim(mount),
        _ => throw new InvalidDataException($"a mount is of type '{Printable.Of(mount.Type)}', not {CimFsType} or {BlockCimType}"),
    };

    private static SnapshotMount ParseCimFs(Api.Mount mount)
    {
        var cim = CimOf(Required(mount, CimPath), CimPath);
        var folders = List(mount, ParentFolders) ?? [];
        var cims = (List(mount, ParentCims) ?? []).Select(path => CimOf(path, ParentCims)).ToArray();
        if (folders.Length != cims.Length)
        {
            throw Bad(mount, $"names {folders.Length} folders and {cims.Length} CIMs of its parents");
        }

        return new SnapshotMount
        {
            Kind = MountKind.CimFs,
            Folder = Checked(mount.Source, "source"),
            CimPath = cim.Path,
            CimName = cim.Name,
            ParentFolders = folders,
            ParentCims = cims,
        };
    }

    private static SnapshotMount ParseBlockCim(Api.Mount mount)
    {
        var type = Required(mount, BlockType);
        if (type != File)
        {
            throw Bad(mount, $"asks for block CIMs of type '{Printable.Of(type)}'; only '{File}' can be written");
        }

        var parents = (List(mount, ParentCims) ?? throw Missing(mount, ParentCims)).Select(path => BlockCimOf(path, ParentCims)).ToArray();
        var source = Checked(mount.Source, "source");
        var merged = Value(mount, Merged);
        var (outer, name) = Split(source);

        // A container's snapshot names its folder; a layer's the CIM in its block file.
        var isLayer = string.Equals(Split(outer).Name, LayerFile, StringComparison.OrdinalIgnoreCase);
        if (isLayer && merged is not null)
        {
            throw Bad(mount, $"has a layer as its source, and {Merged} besides");
        }

        return new SnapshotMount
        {
            Kind = MountKind.BlockCim,
            Folder = isLayer ? Split(outer).Folder : source,
            CimPath = isLayer ? outer : null,
            CimName = isLayer ? name : null,
            ParentFolders = [.. parents.Select(parent => Split(parent.Path).Folder)],
            ParentCims = parents,
            LayerIntegrity = mount.Options.Contains(Integrity),
            VhdFooter = mount.Options.Contains(Footer),
        };
    }

    private static SnapshotCim CimOf(string path, string what)
    {
        var name = Split(Checked(path, what)).Name;
        return name.EndsWith(".cim", StringComparison.OrdinalIgnoreCase)
            ? new SnapshotCim(path, name)
            : throw new InvalidDataException($"a mount's {what} '{Printable.Of(path)}' does not end with .cim");
    }

    private static SnapshotCim BlockCimOf(string path, string what)
    {
        var (file, name) = Split(CimOf(path, what).Path);
        return new SnapshotCim(Checked(file, what), name);
    }

    private static string Required(Api.Mount mount, string prefix) => Value(mount, prefix) ?? throw Missing(mount, prefix);

    private static string? Value(Api.Mount mount, string prefix)
    {
        string? found = null;
        foreach (var option in mount.Options.Where(option => option.StartsWith(prefix, StringComparison.Ordinal)))
        {
            if (option.Length > SnapshotMount.MaxOption)
            {
                throw Bad(mount, $"has more than {SnapshotMount.MaxOption} characters in {prefix}");
            }

            found = found is null ? option[prefix.Length..] : throw Bad(mount, $"has {prefix} twice");
        }

        return found;
    }

    private static string[]? List(Api.Mount mount, string prefix)
    {
        if (Value(mount, prefix) is not { } json)
        {
            return null;
        }

        string?[]? paths;
        try
        {
            paths = JsonSerializer.Deserialize(json, MountJsonContext.Default.StringArray);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"a {mount.Type} mount's {prefix} is not a JSON list of strings: {Printable.Of(e.Message)}", e);
        }

        if (paths is { Length: > SnapshotMount.MaxParents })
        {
            throw Bad(mount, $"has {paths.Length} parents in {prefix}, more than the {SnapshotMount.MaxParents} allowed");
        }

        // Go writes an empty list that was never made as null.
        return paths is null ? [] : [.. paths.Select(path => Checked(path ?? string.Empty, prefix))];
    }

    /// <summary>Absolute, on Windows or elsewhere, and without steps up: what a snapshotter names lies below its root.</summary>
    private static string Checked(string path, string what)
    {
        var isAbsolute = path.StartsWith('/') || path.StartsWith(@"\\", StringComparison.Ordinal)
            || (path.Length > 3 && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '\\' or '/');
        if (!isAbsolute || path.Any(char.IsControl) || path.Split('/', '\\').Contains(".."))
        {
            throw new InvalidDataException($"a mount's {what} '{Printable.Of(path)}' is not an absolute path");
        }

        // Layers are written there, with this user's rights: not to a machine that a false daemon names.
        if (path.StartsWith("//", StringComparison.Ordinal) || (path.StartsWith(@"\\", StringComparison.Ordinal) && !IsLocalDevicePath(path)))
        {
            throw new InvalidDataException($"a mount's {what} '{Printable.Of(path)}' is on another machine");
        }

        return path;
    }

    /// <summary><c>\\?\C:\…</c>: a drive of this machine in Windows' long form.</summary>
    private static bool IsLocalDevicePath(string path) =>
        path.Length > 6 && path[2] == '?' && path[3] == '\\' && char.IsAsciiLetter(path[4]) && path[5] == ':' && path[6] == '\\';

    /// <summary>By the separator that the path itself uses, which need not be this system's.</summary>
    private static (string Folder, string Name) Split(string path)
    {
        var at = path.LastIndexOfAny(path.StartsWith('/') ? ['/'] : ['\\', '/']);
        return at < 0 ? (string.Empty, path) : (path[..at], path[(at + 1)..]);
    }

    private static InvalidDataException Missing(Api.Mount mount, string option) => Bad(mount, $"lacks the option {option}");

    private static InvalidDataException Bad(Api.Mount mount, string problem) => new($"a {mount.Type} mount {problem}");
}
