namespace CimConvert.Layers.Hives;

/// <summary>
/// Types of BCD elements, whose digits name the keys they lie in: class, format, and a number. Public lists: phnt ntbcd.h and
/// Microsoft's BCD reference; for those of composite and CimFS devices the fork mcleishk/DiscUtils-CompositeCimFs
/// (WellKnownElement).
/// </summary>
internal enum BcdElement : uint
{
    Device = 0x11000001,
    Path = 0x12000002,
    Description = 0x12000004,
    RestartOnFailure = 0x16000053,
    OsDevice = 0x21000001,
    SystemRoot = 0x22000002,

    /// <summary>The boot manager's: what <c>{default}</c> stands for.</summary>
    DefaultObject = 0x23000003,
    PrimaryDevice = 0x3100000E,
    SecondaryDevice = 0x3100000F,
    CimFsRootDirectory = 0x32000011,
    CimFsParentDevice = 0x31000012,
}
