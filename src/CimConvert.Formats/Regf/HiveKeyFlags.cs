namespace CimConvert.Formats.Regf;

/// <summary>Flags of a key. Root and CompressedName are not kept in memory: they follow from the key's position and name.</summary>
[Flags]
internal enum HiveKeyFlags : ushort
{
    None = 0,
    Volatile = 0x0001,
    MountPoint = 0x0002,
    Root = 0x0004,
    NoDelete = 0x0008,
    SymbolicLink = 0x0010,
    CompressedName = 0x0020,

    /// <summary>The key stands for a predefined handle, as two keys under Perflib in SOFTWARE do; it has no values.</summary>
    PredefinedHandle = 0x0040,
    VirtualSource = 0x0080,
    VirtualTarget = 0x0100,
    VirtualStore = 0x0200,
}
