using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>A file system of a few megabytes, in memory. Ends the test as ignored where mounting is not allowed.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly TempFolder _folder;

    private SmallDisk(TempFolder folder) => _folder = folder;

    public string Path => _folder.Path;

    public static async Task<SmallDisk> MountAsync(string size)
    {
        var mount = Tools.Require("mount");
        var folder = new TempFolder();
        var result = await ExternalProcess.RunAsync(mount, ["-t", "tmpfs", "-o", $"size={size}", "cimconvert-test", folder.Path]);
        if (result.ExitCode != 0)
        {
            folder.Dispose();
            Assert.Ignore($"no tmpfs can be mounted here ({result.Error.Trim()}): a full disk is not seen on this machine.");
        }

        return new SmallDisk(folder);
    }

    public async ValueTask DisposeAsync()
    {
        (await ExternalProcess.RunAsync(Tools.Require("umount"), [_folder.Path])).EnsureSuccess();
        _folder.Dispose();
    }
}
