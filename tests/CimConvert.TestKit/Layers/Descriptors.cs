namespace CimConvert.TestKit.Layers;

/// <summary>Security descriptors for tests.</summary>
public static class Descriptors
{
    /// <summary>Self-relative, a DACL that is present and null: what an entry without a descriptor gets.</summary>
    public static byte[] NullDacl { get; } = Convert.FromHexString("0100048000000000000000000000000000000000");

    /// <summary>Owner and group Administrators, full control for SYSTEM: as the files of real layers look.</summary>
    public static byte[] Administrators { get; } = Convert.FromHexString(
        "010004801400000024000000000000003400000001020000000000052000000020020000010200000000000520000000200200000200300002" +
        "000000000014001000100001010000000000051200000000001800bf011f0001020000000000052000000020020000");
}
