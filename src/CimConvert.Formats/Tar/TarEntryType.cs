namespace CimConvert.Formats.Tar;

/// <summary>Types of tar entries (POSIX, pax, "typeflag"), without the extended headers that describe the entry after them.</summary>
internal enum TarEntryType
{
    RegularFile,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}
