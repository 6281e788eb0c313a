using System.Security.Cryptography;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Vhd;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>
/// Where Windows' writer puts a block CIM: a file beside its final name that is renamed when it is whole, or a device.
/// Disposed before that, the file is removed; what a killed process left is removed by the next.
/// </summary>
internal sealed class NativeBlockTarget : IDisposable
{
    private const string ClaimSuffix = ".claim";
    private const int HashSize = 32;

    private readonly string _path;
    private readonly string _integrityFile;
    private readonly FileStream? _claim;
    private bool _finished;

    /// <param name="path">The final name, which nothing may have yet, or a device.</param>
    /// <param name="integrityFile">Name of the file beside it that gets a sealed file's root digest.</param>
    /// <param name="options">How it will be finished.</param>
    public NativeBlockTarget(string path, string integrityFile, BlockCimOptions options)
    {
        IsDevice = NativePath.IsDevice(path);
        _path = path;
        _integrityFile = integrityFile;
        WorkPath = NativePath.Of(IsDevice ? path : path + PartialBlockFile.Suffix);
        if (IsDevice)
        {
            if (options.VhdFooter)
            {
                throw new ConversionException($"a VHD footer makes a file a disk; '{path}' is a device");
            }

            return;
        }

        if (File.Exists(path))
        {
            throw new IOException($"'{path}' exists already: remove it first, or choose another name");
        }

        // Two processes writing one target would tear it, and CimFS adds to a block file that is there. The system removes the
        // claim with its process, however that ends.
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

    /// <summary>What the writer is to write.</summary>
    public string WorkPath { get; }

    /// <summary>
    /// Seals, foots and names what was committed and closed. The footer comes after the seal, which covers what CimFS reads,
    /// and before the root digest is read back, as in the reference.
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
            throw new ConversionException($"'{_path}' was sealed with another root digest than it has now");
        }

        if (IsDevice)
        {
            // No folder holds a device: its root digest is in the result only.
            return new CommittedCim(_path, 0, root);
        }

        var size = Flush();
        if (root is not null)
        {
            IntegrityFile.Write(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, _integrityFile), root);
        }

        File.Move(WorkPath, _path, overwrite: false);
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
        NativeErrors.ThrowIfFailed(CimFsNative.CimSealImage(WorkPath, out var size, out _, hash), nameof(CimFsNative.CimSealImage), WorkPath);
        return CheckSize(hash, size, nameof(CimFsNative.CimSealImage));
    }

    private byte[] ReadRoot()
    {
        const string call = nameof(CimFsNative.CimGetVerificationInformation);
        var hash = new byte[HashSize];
        NativeErrors.ThrowIfFailed(CimFsNative.CimGetVerificationInformation(WorkPath, out var isSealed, out var size, out _, out _, hash, 0), call, WorkPath);
        return isSealed != 0
            ? CheckSize(hash, size, call)
            : throw new ConversionException($"{call} says that '{WorkPath}' is not sealed, although {nameof(CimFsNative.CimSealImage)} reported no error");
    }

    private byte[] CheckSize(byte[] hash, ulong size, string call) => size == HashSize
        ? hash
        : throw new ConversionException($"{call} gave a root digest of {size} bytes for '{WorkPath}', not of {HashSize}");

    /// <summary>The id of Microsoft's footer is random; from the content, the same layer gives the same file: the root digest, or a hash of all bytes.</summary>
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
