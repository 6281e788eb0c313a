namespace CimConvert.TestKit.Layers;

/// <summary>How a name that a ustar header cannot hold is written.</summary>
public enum LongNames
{
    /// <summary>PAX records <c>path</c> and <c>linkpath</c>, as Go's and Microsoft's writers do.</summary>
    Pax,

    /// <summary>GNU entries of type L and K before the entry.</summary>
    Gnu,
}

/// <summary>Where the size of an entry is written.</summary>
public enum SizeField
{
    /// <summary>Octal in the header; a PAX record when it does not fit.</summary>
    Octal,

    /// <summary>GNU base-256 in the header.</summary>
    Base256,

    /// <summary>A PAX record; the header says zero.</summary>
    Pax,
}

/// <summary>One tar entry as it is to stand in the archive, quirks included. Nothing is checked or corrected.</summary>
public sealed record TarEntrySpec
{
    public required string Name { get; init; }

    public char Type { get; init; } = TarTypes.File;

    public string LinkName { get; init; } = "";

    public long Size { get; init; }

    /// <summary>Whole seconds for the header; fractions are a PAX record's affair. Negative is written as zero.</summary>
    public long ModificationTime { get; init; }

    public int Mode { get; init; } = 0x1A4; // 0644

    /// <summary>PAX records in the order they are to be written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pax { get; init; } = [];

    public LongNames LongNames { get; init; }

    public SizeField SizeField { get; init; }
}

/// <summary>The type flags of tar entries.</summary>
public static class TarTypes
{
    public const char File = '0';
    public const char HardLink = '1';
    public const char Symlink = '2';
    public const char Directory = '5';
    public const char GnuLongName = 'L';
    public const char GnuLongLink = 'K';
    public const char PaxHeader = 'x';
    public const char PaxGlobalHeader = 'g';
}
