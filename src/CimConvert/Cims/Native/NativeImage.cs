using CimConvert.Formats.Cim;
using CimConvert.Interop;
using CimWriter = CimConvert.Interop.CimWriter;

namespace CimConvert.Cims.Native;

/// <summary>A block CIM open in Windows' writer: created, committed, closed and finished in the order the reference does it.</summary>
internal sealed class NativeImage : IDisposable
{
    private readonly NativeBlockTarget _target;
    private readonly ImageOptions _options;

    public NativeImage(string blockFile, string cimName, string integrityFile, ImageOptions options)
    {
        if (CimPath.WhyNotAName(cimName) is { } why)
        {
            throw new InvalidDataException($"CIM name '{cimName}' {why}");
        }

        NativeBackend.Require(options.Integrity);
        _options = options;
        _target = new NativeBlockTarget(blockFile, integrityFile, options);
        try
        {
            Check(
                CimWriter.CimCreateImage2(_target.WorkPath, Flags(_target.IsDevice, options), oldName: null, cimName, out var handle),
                nameof(CimWriter.CimCreateImage2),
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

    public static void Check(int result, string call, string path) => NativeErrors.ThrowIfFailed(result, call, path);

    public CommittedImage Commit(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Check(CimWriter.CimCommitImage(Handle), nameof(CimWriter.CimCommitImage), _target.WorkPath);
        Handle.Dispose();
        return _target.Finish(_options, cancellation);
    }

    public void Dispose()
    {
        Handle.Dispose();
        _target.Dispose();
    }

    private static CimCreateFlags Flags(bool isDevice, ImageOptions options) =>
        CimCreateFlags.Consistent
        | (isDevice ? CimCreateFlags.BlockDevice : CimCreateFlags.SingleFile)
        | (options.Integrity ? CimCreateFlags.Verified : CimCreateFlags.None);
}
