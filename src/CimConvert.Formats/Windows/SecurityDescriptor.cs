namespace CimConvert.Formats.Windows;

internal static class SecurityDescriptor
{
    private static readonly byte[] s_nullDacl = [1, 0, 4, 0x80, .. new byte[16]];

    /// <summary>
    /// Self-relative, a DACL said to be present and absent: everyone may do everything. For files that come without a
    /// descriptor, because an empty one leaves a CIM in a bad state (shared reference, cimfs-api.md).
    /// </summary>
    public static ReadOnlyMemory<byte> NullDacl => s_nullDacl;
}
