namespace CimConvert.Containerd;

/// <summary>Which differs of a daemon can unpack a layer into a CIM.</summary>
internal static class DifferChoice
{
    /// <summary>What this program's own differ is called in a node's configuration, unless somebody calls it otherwise.</summary>
    private const string Own = "cimconvert";

    /// <summary>containerd's differs for other mounts than those of CIMs.</summary>
    private static readonly string[] s_others = ["walking", "windows", "windows-lcow", "erofs"];

    /// <summary>
    /// The loaded ones, best first: this program's, which somebody has put there on purpose; then the one that belongs to the snapshotter;
    /// then those whose name says nothing, which are plugins of others.
    /// </summary>
    public static IReadOnlyList<string> Suitable(IReadOnlyList<ContainerdPlugin> plugins, string snapshotter) =>
    [
        .. Loaded(plugins)
            .Where(name => !s_others.Contains(name) && (name == snapshotter || name is not (SnapshotterChoice.CimFs or SnapshotterChoice.BlockCim)))
            .OrderBy(name => name == Own ? 0 : name == snapshotter ? 1 : 2)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    public static IReadOnlyList<string> Loaded(IReadOnlyList<ContainerdPlugin> plugins) =>
        [.. plugins.Where(plugin => plugin.Type == ContainerdPlugin.DifferType && plugin.IsLoaded).Select(plugin => plugin.Id)];
}
