namespace CimConvert.Formats.Regf;

/// <summary>Flags of a key. The root's and the compressed name's are not kept: they follow from the key's place and name.</summary>
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

    /// <summary>The key stands for a predefined handle (SOFTWARE has two under Perflib); it has no values.</summary>
    PredefinedHandle = 0x0040,
    VirtualSource = 0x0080,
    VirtualTarget = 0x0100,
    VirtualStore = 0x0200,
}
