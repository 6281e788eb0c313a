namespace CimConvert.Containerd;

/// <summary>Which snapshotter to use: released Windows mounts what cimfs holds, only preview builds what blockcim does.</summary>
internal static class SnapshotterChoice
{
    public const string Auto = "auto";
    public const string CimFs = "cimfs";
    public const string BlockCim = "blockcim";

    /// <exception cref="ConversionException">It is not loaded.</exception>
    public static string Of(IReadOnlyList<ContainerdPlugin> plugins, string nameOrAuto, ContainerdAddress address)
    {
        var snapshotters = plugins.Where(plugin => plugin.Type == ContainerdPlugin.SnapshotterType).ToArray();
        string[] wanted = nameOrAuto == Auto ? [CimFs, BlockCim] : [nameOrAuto];
        if (Array.Find(wanted, name => Array.Exists(snapshotters, plugin => plugin.Id == name && plugin.IsLoaded)) is { } chosen)
        {
            return chosen;
        }

        var reasons = wanted.Select(name => Array.Find(snapshotters, plugin => plugin.Id == name) is { } plugin
            ? $"{Printable.Of(name)} did not load: {plugin.InitError}"
            : $"it has no {Printable.Of(name)}");
        var loaded = string.Join(", ", snapshotters.Where(plugin => plugin.IsLoaded).Select(plugin => plugin.Id).Order(StringComparer.Ordinal));
        throw new ConversionException(
            $"containerd at {address} has not loaded the snapshotter that is needed: {string.Join("; ", reasons)}; loaded are {(loaded.Length > 0 ? Printable.Of(loaded) : "none")}");
    }
}
