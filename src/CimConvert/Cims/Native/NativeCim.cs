using CimConvert.Formats.Cim;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>A block CIM open in Windows' writer; created, committed, closed and finished in the same order as in hcsshim.</summary>
internal sealed class NativeCim : IDisposable
{
    private readonly NativeBlockTarget _target;
    private readonly BlockCimOptions _options;

    public NativeCim(string blockFile, string cimName, string integrityFile, BlockCimOptions options)
    {
        if (CimPath.ValidateName(cimName) is { } why)
        {
            throw new InvalidDataException($"CIM name '{cimName}' {why}");
        }

        NativeBackend.Require(options.Integrity);
        _options = options;
        _target = new NativeBlockTarget(blockFile, integrityFile, options);
        try
        {
            NativeErrors.ThrowIfFailed(
                CimFsWriting.CimCreateImage2(_target.WorkPath, Flags(_target.IsDevice, options), oldName: null, cimName, out var handle),
                nameof(CimFsWriting.CimCreateImage2),
                _target.WorkPath);
            Handle = handle;
        }
        catch
        {
            _target.Dispose();
            throw;
        }
    }

    public CimImageHandle Handle { get; }

    public bool IsDevice => _target.IsDevice;

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NativeErrors.ThrowIfFailed(CimFsWriting.CimCommitImage(Handle), nameof(CimFsWriting.CimCommitImage), _target.WorkPath);
        Handle.Dispose();
        return _target.Finish(_options, cancellationToken);
    }

    public void Dispose()
    {
        Handle.Dispose();
        _target.Dispose();
    }

    private static CimCreateFlags Flags(bool isDevice, BlockCimOptions options) =>
        CimCreateFlags.Consistent
        | (isDevice ? CimCreateFlags.BlockDevice : CimCreateFlags.SingleFile)
        | (options.Integrity ? CimCreateFlags.Verified : CimCreateFlags.None);
}
