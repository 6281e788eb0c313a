using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>A CIM open for writing. Closing it without CimCommitImage discards what was written.</summary>
internal sealed class CimImageHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        CimFsWriting.CimCloseImage(handle);
        return true;
    }
}

/// <summary>A stream of a CIM, open for writing.</summary>
internal sealed class CimStreamHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>Closes the stream and returns the result, which <see cref="SafeHandle.Dispose()"/> cannot.</summary>
    /// <returns>An HRESULT.</returns>
    public int CloseStream()
    {
        var stream = handle;
        SetHandleAsInvalid();
        return CimFsWriting.CimCloseStream(stream);
    }

    protected override bool ReleaseHandle() => CimFsWriting.CimCloseStream(handle) >= 0;
}
