using CimConvert.Containerd;

namespace CimConvert.Fitness;

/// <summary>
/// Settings of a node's <c>config.toml</c> as lines of TOML, with the plugins' names of the file's version: containerd 2 translates those of
/// version 2.
/// </summary>
/// <param name="file">The file; null if it cannot be read.</param>
/// <param name="isFirstGeneration">Whether the daemon is containerd 1: which version a file gets that is not there yet.</param>
internal sealed class ConfigurationLines(DaemonConfiguration? file, bool isFirstGeneration)
{
    private const string CriPlugin = "io.containerd.grpc.v1.cri";
    private const string CriImagesPlugin = "io.containerd.cri.v1.images";
    private const string CriRuntimePlugin = "io.containerd.cri.v1.runtime";
    private const string Containerd = "containerd";
    private const string Runtimes = "runtimes";
    private const string Snapshotter = "snapshotter";

    private long Version => file is { IsThere: true } ? file.Version : isFirstGeneration ? DaemonConfiguration.SplitCriVersion - 1 : DaemonConfiguration.SplitCriVersion;

    private bool IsSplit => Version >= DaemonConfiguration.SplitCriVersion;

    /// <summary>A file that is not there yet begins with this.</summary>
    public IReadOnlyList<string> Start => file is { IsThere: false } ? [$"version = {Version}"] : [];

    /// <summary>Version 1 names plugins in another way, and containerd 2 does not read it.</summary>
    public bool CanBeTold => file is not null && Version > DaemonConfiguration.OldestVersion;

    /// <summary>
    /// containerd 2.1.9 translates the old name only in a file that also has runtimes (plugins/cri/images/plugin.go, migrateConfig), and
    /// there it wins over the new one.
    /// </summary>
    public IReadOnlyList<string> CriSnapshotter(string snapshotter)
    {
        var isNew = IsSplit || (!isFirstGeneration && file?.Has(CriPlugin, Containerd, Runtimes) == false);
        return Setting(isNew ? [CriImagesPlugin] : [CriPlugin, Containerd], $"{Snapshotter} = {Quoted(snapshotter)}");
    }

    public IReadOnlyList<string> RuntimeSnapshotter(string runtime, string snapshotter) =>
        Setting([IsSplit ? CriRuntimePlugin : CriPlugin, Containerd, Runtimes, runtime], $"{Snapshotter} = {Quoted(snapshotter)}");

    public IReadOnlyList<string> IgnoreImageVolumes() => Setting([IsSplit ? CriRuntimePlugin : CriPlugin], "ignore_image_defined_volumes = true");

    public IReadOnlyList<string> DifferOrder(IReadOnlyList<string> differs) =>
        Setting(["io.containerd.service.v1.diff-service"], $"default = [{string.Join(", ", differs.Select(Quoted))}]");

    /// <param name="platform">As in <c>windows/amd64</c>.</param>
    /// <param name="snapshotter">The snapshotter.</param>
    /// <param name="differ">Null leaves the choice to the daemon.</param>
    /// <param name="replaces">Whether an entry for the same is there, which would be found first.</param>
    public IReadOnlyList<string> UnpackEntry(string platform, string snapshotter, string? differ, bool replaces)
    {
        string[] values = [platform, snapshotter, differ ?? string.Empty];
        return !CanBeTold || !values.All(IsPlain) ? [] :
        [
            .. replaces ? ["# in place of the entry that is there for the same platform and snapshotter"] : Array.Empty<string>(),
            $"[[plugins.{Quoted("io.containerd.transfer.v1.local")}.unpack_config]]",
            $"platform = {Quoted(platform)}",
            $"{Snapshotter} = {Quoted(snapshotter)}",
            .. differ is null ? Array.Empty<string>() : [$"differ = {Quoted(differ)}"],
        ];
    }

    private IReadOnlyList<string> Setting(IReadOnlyList<string> table, string line) =>
        !CanBeTold || !table.All(IsPlain) || line.Any(char.IsControl) ? [] :
        [
            .. file!.HasHeader(table) ? ["# this table is in the file already: set the next line there"] : Array.Empty<string>(),
            $"[plugins.{Quoted(table[0])}{string.Concat(table.Skip(1).Select(name => "." + (name.All(IsBare) ? name : Quoted(name))))}]",
            line,
        ];

    /// <summary>As the daemon itself writes a file of this version.</summary>
    private string Quoted(string text) => IsSplit ? $"'{text}'" : $"\"{text}\"";

    /// <summary>Whether the text needs no escapes in TOML: all names of plugins and runtimes that work are like that.</summary>
    private static bool IsPlain(string text) => text.All(c => IsBare(c) || c is '.' or '/');

    private static bool IsBare(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
