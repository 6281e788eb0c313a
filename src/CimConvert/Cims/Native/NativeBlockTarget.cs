using System.Security.Cryptography;
using CimConvert.Formats.Vhd;
using CimConvert.Interop;
using CimConvert.Storage;

namespace CimConvert.Cims.Native;

/// <summary>
/// Where Windows' writer puts a block CIM: a device, or a file under a temporary name, which is renamed when it is complete. Disposing
/// before that removes the file; a file that a killed process left is removed by the next writer.
/// </summary>
internal sealed class NativeBlockTarget : IDisposable
{
    private const string ClaimSuffix = ".claim";
    private const int HashSize = 32;

    private readonly string _path;
    private readonly string _integrityFile;
    private readonly FileStream? _claim;
    private bool _finished;

    /// <param name="path">The final path, which must not exist, or a device.</param>
    /// <param name="integrityFile">Name of the file beside it for the root digest of a sealed file.</param>
    /// <param name="options">How the block file is written.</param>
    public NativeBlockTarget(string path, string integrityFile, BlockCimOptions options)
    {
        IsDevice = NativePath.IsDevice(path);
        _path = path;
        _integrityFile = integrityFile;
        WorkPath = NativePath.Of(IsDevice ? path : AtomicFile.PartialOf(path));
        if (IsDevice)
        {
            if (options.VhdFooter)
            {
                throw new ConversionException($"'{path}' is a device: only a file can have a VHD footer");
            }

            return;
        }

        if (File.Exists(path))
        {
            throw new IOException($"'{path}' exists already: remove it first, or choose another name");
        }

        // Two processes that write the same target would corrupt it, and CimFS appends to an existing block file. The system removes the
        // claim when its process ends, however it ends.
        _claim = new FileStream(path + ClaimSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        try
        {
            File.Delete(WorkPath);
        }
        catch
        {
            _claim.Dispose();
            throw;
        }
    }

    public bool IsDevice { get; }

    /// <summary>The path to give to Windows' writer.</summary>
    public string WorkPath { get; }

    /// <summary>
    /// Seals the committed and closed file, appends its footer, and renames it. The footer comes after the seal, which covers what CimFS
    /// reads, and before the root digest is read back, as in hcsshim.
    /// </summary>
    public CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var root = options.Integrity ? Seal() : null;
        if (options.VhdFooter)
        {
            AppendFooter(root, cancellationToken);
        }

        if (root is not null && !ReadRoot().AsSpan().SequenceEqual(root))
        {
            throw new ConversionException($"'{_path}' has another root digest now than it was sealed with");
        }

        if (IsDevice)
        {
            // There is no folder beside a device: its root digest is only in the result.
            return new CommittedCim(_path, 0, root);
        }

        var size = Flush();
        if (root is not null)
        {
            IntegrityFile.Write(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, _integrityFile), root);
        }

        AtomicFile.Rename(WorkPath, _path, overwrite: false);
        _finished = true;
        return new CommittedCim(_path, size, root);
    }

    public void Dispose()
    {
        if (!IsDevice && !_finished)
        {
            File.Delete(WorkPath);
        }

        _claim?.Dispose();
    }

    private byte[] Seal()
    {
        var hash = new byte[HashSize];
        NativeErrors.ThrowIfFailed(CimFsWriting.CimSealImage(WorkPath, out var size, out _, hash), nameof(CimFsWriting.CimSealImage), WorkPath);
        return CheckSize(hash, size, nameof(CimFsWriting.CimSealImage));
    }

    private byte[] ReadRoot()
    {
        const string call = nameof(CimFsWriting.CimGetVerificationInformation);
        var hash = new byte[HashSize];
        NativeErrors.ThrowIfFailed(CimFsWriting.CimGetVerificationInformation(WorkPath, out var isSealed, out var size, out _, out _, hash, 0), call, WorkPath);
        return isSealed != 0
            ? CheckSize(hash, size, call)
            : throw new ConversionException($"{call} says that '{WorkPath}' is not sealed, although {nameof(CimFsWriting.CimSealImage)} reported no error");
    }

    private byte[] CheckSize(byte[] hash, ulong size, string call) => size == HashSize
        ? hash
        : throw new ConversionException($"{call} gave a root digest of {size} bytes for '{WorkPath}', not of {HashSize}");

    /// <summary>
    /// hcsshim's footer has a random ID. This one is derived from the content, so that the same layer gives the same file: it comes from
    /// the root digest, or from a hash of all bytes.
    /// </summary>
    private void AppendFooter(byte[]? root, CancellationToken cancellationToken)
    {
        using var file = new FileStream(WorkPath, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        var id = root ?? SHA256.HashDataAsync(file, cancellationToken).AsTask().GetAwaiter().GetResult();
        var size = file.Length;
        file.Position = size;
        file.Write(VhdFooter.Create(size, id));
    }

    private long Flush()
    {
        using var file = new FileStream(WorkPath, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        file.Flush(flushToDisk: true);
        return file.Length;
    }
}
