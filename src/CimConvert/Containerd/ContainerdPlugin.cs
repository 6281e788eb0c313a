namespace CimConvert.Containerd;

/// <summary>A plugin as the daemon reports it, with the reason if it did not load.</summary>
internal sealed record ContainerdPlugin(
    string Type, string Id, string? InitError, IReadOnlyDictionary<string, string> Exports, IReadOnlyList<string> Capabilities)
{
    public const string SnapshotterType = "io.containerd.snapshotter.v1";
    public const string DifferType = "io.containerd.differ.v1";

    /// <summary>The status of a plugin's error says "skip" where the plugin found that this machine is not for it; it is not loaded either.</summary>
    public bool IsLoaded => InitError is null;

    /// <summary>The folder that it says it keeps its files in.</summary>
    public string? Root => Exports.GetValueOrDefault("root");

    internal static ContainerdPlugin Of(Api.Plugin plugin) => new(
        plugin.Type,
        plugin.Id,
        plugin.InitErr is { } error ? Printable.Of(error.Message) : null,
        new Dictionary<string, string>(plugin.Exports, StringComparer.Ordinal),
        [.. plugin.Capabilities]);
}
