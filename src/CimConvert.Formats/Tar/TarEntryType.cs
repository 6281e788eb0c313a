namespace CimConvert.Formats.Tar;

/// <summary>The kinds of entry a tar can hold besides the headers that only describe the entry after them (POSIX pax, "typeflag").</summary>
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
