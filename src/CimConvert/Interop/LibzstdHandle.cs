using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>A decoder of libzstd.</summary>
internal sealed class LibzstdHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Libzstd.ZSTD_freeDStream(handle) == 0;
}
