using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Vhd;
using CimConvert.Plumbing;
using CimConvert.Storage;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Cims.Managed;

/// <summary>
/// A block file on its way: written beside its final name, sealed, footed, flushed, and only then renamed.
/// Disposed before that, it is removed; what a killed process left is overwritten by the next.
/// </summary>
internal sealed class PartialBlockFile : ICimTarget
{
    public const string Suffix = ".partial";

    private readonly string _path;
    private readonly string _partial;
    private readonly string _integrityFile;
    private readonly SafeFileHandle _handle;
    private readonly GrowingFileDigest _digest;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _following;
    private bool _finished;

    /// <param name="path">The final name; nothing may have it yet.</param>
    /// <param name="integrityFile">Name of the file beside it that gets a sealed file's root digest.</param>
    /// <param name="digest">Whether to hash the file while it is written.</param>
    public PartialBlockFile(string path, string integrityFile, bool digest = false)
    {
        _path = path;
        _integrityFile = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, integrityFile);
        _partial = path + Suffix;
        if (File.Exists(path))
        {
            throw new IOException($"'{path}' exists already: remove it first, or choose another name");
        }

        HostLinks.Refuse(_partial);

        // Not shared: two processes writing one target would otherwise tear it.
        _handle = File.OpenHandle(_partial, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        _digest = new GrowingFileDigest(_handle);
        _following = digest ? OwnThread.RunAsync(() => _digest.Follow(_stop.Token)) : Task.CompletedTask;
        Blocks = new BlockFileWriter(_handle, _digest.Settle);
    }

    public BlockFileWriter Blocks { get; }

    public CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken)
    {
        var digest = Blocks.Complete(options.Integrity, options.VhdFooter, cancellationToken);
        if (options.VhdFooter)
        {
            // The id of Microsoft's footer is random; from the content, the same layer gives the same file.
            var size = RandomAccess.GetLength(_handle);
            RandomAccess.Write(_handle, VhdFooter.Create(size, digest), size);
            RandomAccess.FlushToDisk(_handle);
        }

        var length = RandomAccess.GetLength(_handle);
        _digest.EndFollowing();
        _following.GetAwaiter().GetResult();
        var whole = _digest.TryFinish(length, cancellationToken);
        _handle.Dispose();
        if (options.Integrity)
        {
            IntegrityFile.Write(_integrityFile, digest);
        }

        File.Move(_partial, _path, overwrite: false);
        _finished = true;
        return new CommittedCim(_path, length, options.Integrity ? digest : null, whole);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _ = Task.WhenAny(_following).GetAwaiter().GetResult();
        _digest.Dispose();
        _stop.Dispose();
        _handle.Dispose();
        if (!_finished)
        {
            File.Delete(_partial);
        }
    }
}
