namespace CimConvert.TestKit.Layers;

/// <summary>
/// Times as the tar spells them (<c>seconds[.fraction]</c>, may be negative). A null is a record that is not written;
/// without <see cref="Modified"/> only the header's whole seconds remain.
/// </summary>
public sealed record EntryTimes(string? Modified, string? Accessed = null, string? Changed = null, string? Created = null);

/// <summary>An extended attribute of a file.</summary>
public sealed record ExtendedAttribute(string Name, byte[] Value);

/// <summary>What a layer entry has besides its name and content. Everything unset takes the builder's default.</summary>
public sealed record EntryOptions
{
    /// <summary>The Win32 attributes; unset: what Windows gives an ordinary entry of the kind.</summary>
    public FileAttributes? Attributes { get; init; }

    public EntryTimes? Times { get; init; }

    /// <summary>A self-relative security descriptor (MSWINDOWS.rawsd).</summary>
    public byte[]? SecurityDescriptor { get; init; }

    /// <summary>A security descriptor as SDDL (MSWINDOWS.sd, old layers).</summary>
    public string? Sddl { get; init; }

    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; } = [];

    /// <summary>No Windows records and no PAX times at all: the entry as a plain tar program writes it.</summary>
    public bool Plain { get; init; }

    /// <summary>Further PAX records, written last.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pax { get; init; } = [];

    public LongNames LongNames { get; init; }

    public SizeField SizeField { get; init; }
}
