using System.IO.Enumeration;
using CimConvert.Toml;

namespace CimConvert.Containerd;

/// <summary>
/// The daemon's <c>config.toml</c> with the files that it imports (https://github.com/containerd/containerd/blob/main/docs/man/containerd-config.toml.5.md,
/// "imports"): for what the daemon's interface does not tell. It may be newer than what the daemon was started with.
/// </summary>
internal sealed class DaemonConfiguration
{
    /// <summary>Files that a configuration is put together from.</summary>
    public const int MaxFiles = 64;

    /// <summary>The first version of the file with containerd 2's names of CRI's plugins.</summary>
    public const int SplitCriVersion = 3;

    /// <summary>A file that does not say its version has this one, of which plugins have other names.</summary>
    public const int OldestVersion = 1;

    private const string TransferPlugin = "io.containerd.transfer.v1.local";
    private const string DiffServicePlugin = "io.containerd.service.v1.diff-service";
    private const string CriImagesPlugin = "io.containerd.cri.v1.images";
    private const string Plugins = "plugins";

    private readonly List<TomlTable> _files = [];
    private readonly bool _mergesPlugins;

    private DaemonConfiguration(string path, bool mergesPlugins)
    {
        Path = path;
        _mergesPlugins = mergesPlugins;
    }

    public static string DefaultPath => OperatingSystem.IsWindows()
        ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "containerd", "config.toml")
        : "/etc/containerd/config.toml";

    public string Path { get; }

    /// <summary>Without a file, the daemon has its defaults.</summary>
    public bool IsThere => _files.Count > 0;

    /// <summary>The version of the file's format; meaningless without a file.</summary>
    public long Version => IsThere && _files[0].TryGet("version", out var version) && version.Content is long number ? number : OldestVersion;

    /// <summary>The differs in the order that they are tried in, if the file has it.</summary>
    public IReadOnlyList<string>? DifferOrder =>
        Find(DiffServicePlugin, "default") is List<TomlValue> names ? [.. names.Select(name => name.Content).OfType<string>()] : null;

    /// <summary>What the transfer service unpacks with, if the file has it; else it is the daemon's own snapshotter.</summary>
    public IReadOnlyList<UnpackEntry>? UnpackEntries => Find(TransferPlugin, "unpack_config") is List<TomlValue> entries
        ? [.. entries.Select(entry => entry.Content).OfType<TomlTable>().Select(UnpackEntry.Of)]
        : null;

    /// <summary>Whether CRI is told to pull as before containerd 2.1, without the transfer service.</summary>
    public bool PullsLocally => Find(CriImagesPlugin, "use_local_image_pull") is true;

    /// <param name="path">The file; not an error if there is none.</param>
    /// <param name="mergesPlugins">
    /// Whether an imported file replaces single settings of a plugin, as since containerd 2.0, and not all of the plugin's.
    /// </param>
    /// <exception cref="InvalidDataException">A file is invalid, or has imports that are not followed.</exception>
    /// <exception cref="IOException">A file cannot be read, or an imported one is not there.</exception>
    public static DaemonConfiguration Read(string path, bool mergesPlugins)
    {
        var configuration = new DaemonConfiguration(System.IO.Path.GetFullPath(path), mergesPlugins);
        if (!File.Exists(configuration.Path))
        {
            return configuration;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Queue<string>([configuration.Path]);
        while (pending.TryDequeue(out var next))
        {
            if (!seen.Add(next))
            {
                continue;
            }

            if (seen.Count > MaxFiles)
            {
                throw new InvalidDataException($"{Printable.Of(path)} imports more than {MaxFiles - 1} files");
            }

            var file = TomlFile.Read(TomlFile.ReadBounded(next), Printable.Of(next));
            configuration._files.Add(file.Root);
            foreach (var imported in ImportsOf(file, System.IO.Path.GetDirectoryName(next)!))
            {
                pending.Enqueue(imported);
            }
        }

        return configuration;
    }

    /// <summary>Whether the file itself sets something in a plugin's table.</summary>
    public bool Has(params IReadOnlyList<string> path) => Table(path) is not null;

    /// <summary>Whether the file itself has a header for a plugin's table, so that it cannot get another.</summary>
    public bool HasHeader(params IReadOnlyList<string> path) => Table(path) is { MadeBy: not TomlTable.Origin.Path };

    private static IEnumerable<string> ImportsOf(TomlFile file, string folder)
    {
        if (!file.Root.TryGet("imports", out var imports) || imports.Content is not List<TomlValue> values)
        {
            return [];
        }

        return values.SelectMany(value => value.Content is string { Length: > 0 } path && !path.Contains('\0', StringComparison.Ordinal)
            ? Expand(System.IO.Path.GetFullPath(path, folder), value, file)
            : throw file.Error(value.Offset, "an import must be a path"));
    }

    /// <summary>containerd knows patterns by their <c>*</c>; those in a folder's name are not followed here.</summary>
    private static IEnumerable<string> Expand(string path, TomlValue value, TomlFile file)
    {
        if (!path.Contains('*', StringComparison.Ordinal))
        {
            return [path];
        }

        var (folder, pattern) = (System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path));
        if (folder.Contains('*', StringComparison.Ordinal) || pattern.AsSpan().ContainsAny('[', '\\'))
        {
            throw file.Error(value.Offset, "this pattern of imports is not understood by cimconvert: only '*' and '?' in a file's name are");
        }

        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder)
                .Where(each => FileSystemName.MatchesSimpleExpression(pattern, System.IO.Path.GetFileName(each), ignoreCase: false))
                .Order(StringComparer.Ordinal)
            : [];
    }

    private TomlTable? Table(IReadOnlyList<string> path)
    {
        object? found = IsThere ? _files[0] : null;
        foreach (var name in path.Prepend(Plugins))
        {
            found = found is TomlTable table && table.TryGet(name, out var value) ? value.Content : null;
        }

        return found as TomlTable;
    }

    /// <summary>A plugin's setting: that of the file read last.</summary>
    private object? Find(string plugin, string key)
    {
        for (var i = _files.Count - 1; i >= 0; i--)
        {
            if (!_files[i].TryGet(Plugins, out var plugins) || plugins.Content is not TomlTable all
                || !all.TryGet(plugin, out var found) || found.Content is not TomlTable table)
            {
                continue;
            }

            if (table.TryGet(key, out var value))
            {
                return value.Content;
            }

            if (!_mergesPlugins)
            {
                return null;
            }
        }

        return null;
    }
}
