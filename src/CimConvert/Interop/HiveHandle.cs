using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>A hive open in offreg.dll.</summary>
internal sealed class HiveHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => OffReg.ORCloseHive(handle) == 0;
}
