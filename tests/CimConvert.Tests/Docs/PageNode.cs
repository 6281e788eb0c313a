using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;

namespace CimConvert.Tests.Docs;

/// <summary>
/// The node that pages speak of: a real daemon with the config.toml of docs/containerd.md, and a stand-in for the snapshotter that only
/// Windows has. Ends the test as ignored where there is no such containerd.
/// </summary>
internal sealed class PageNode : IAsyncDisposable
{
    public const string Page = "docs/containerd.md";

    /// <summary>What the harness needs to say of its own, for the page's file to import.</summary>
    private const string HarnessFile = "harness.toml";

    /// <summary>Stands for Windows' own differ: a proxy plugin must not have the name of another, here of the snapshotter.</summary>
    private const string Differ = "cimconvert";

    private readonly TempFolder _folder;
    private readonly StandInSnapshotter _standIn;
    private readonly ContainerdDaemon _daemon;

    private PageNode(TempFolder folder, StandInSnapshotter standIn, ContainerdDaemon daemon)
    {
        _folder = folder;
        _standIn = standIn;
        _daemon = daemon;
    }

    /// <summary>What tells <c>doctor</c> of this daemon, where a page relies on the defaults of a node.</summary>
    public IReadOnlyList<string> DoctorOptions => [.. DaemonOptions, "--config", _daemon.ConfigPath];

    /// <summary>What tells <c>convert</c> and <c>prewarm</c> of it. The layers are the managed back end's, which Windows would not mount.</summary>
    public IReadOnlyList<string> IntoOptions => [.. DaemonOptions, "--state", _folder["state"], "--allow-unmounted-format"];

    public IReadOnlyList<string> DaemonOptions => ["--containerd", _daemon.Address];

    public static async Task<PageNode> StartAsync(SnapshotterMode mode = SnapshotterMode.Cimfs)
    {
        TempFolder folder = new("cimconvert-node-");
        var standIn = await StandInSnapshotter.StartAsync(folder["snapshotter"], folder["snapshotter.sock"], new SnapshotterOptions { Mode = mode });
        try
        {
            // Nobody listens at the differ's socket: nothing is pulled through the daemon.
            var daemon = await ContainerdDaemon.StartAsync(new ContainerdSettings
            {
                Version = ContainerdVersion.V2_1,
                Snapshotter = (standIn.Name, standIn.Socket),
                Differ = (Differ, folder["differ.sock"]),
                UsesPlugins = false,
            });
            PageNode node = new(folder, standIn, daemon);
            node.Configure();
            await daemon.RestartAsync();
            return node;
        }
        catch
        {
            await standIn.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>A block of the page, by the name that it is saved under.</summary>
    public static string Block(string file) => MarkdownPage.Read(Page).Blocks.Single(block => block.FileName == file).Text;

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        await _standIn.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>
    /// Puts the page's file in the place of the harness's, which it imports: that has the folders, the socket and the plugins of this
    /// system, and takes precedence. What the file says of plugins stays, but for the names that only Windows has.
    /// </summary>
    private void Configure()
    {
        var harness = Path.Combine(Path.GetDirectoryName(_daemon.ConfigPath)!, HarnessFile);
        File.Move(_daemon.ConfigPath, harness);
        var text = Block("config.toml");
        if (_standIn.Options.Mode == SnapshotterMode.Blockcim)
        {
            text = text.Replace("'cimfs'", "'blockcim'", StringComparison.Ordinal) + Block("blockcim.toml");
        }

        text = $"imports = ['{harness}']\n{text}"
            .Replace("'windows/amd64'", "'linux/amd64'", StringComparison.Ordinal)
            .Replace($"differ = '{_standIn.Name}'", $"differ = '{Differ}'", StringComparison.Ordinal)
            .Replace($"default = ['{_standIn.Name}', 'windows', 'windows-lcow']", $"default = ['{Differ}', 'walking']", StringComparison.Ordinal);
        File.WriteAllText(_daemon.ConfigPath, text);
    }
}
