using System.Globalization;

namespace CimConvert.Layers;

/// <summary>
/// How much of the machine one layer may take. Layers are untrusted and may expand without bound; these limits are those that somebody
/// may need to raise. The others stand beside the code they guard; docs/threat-model.md lists all.
/// </summary>
public sealed record InputLimits
{
    /// <summary>A layer of Windows with Visual Studio in it has some 40 GB; 128 GiB is more than a container's disk holds by default.</summary>
    internal const long DefaultLayerSize = 128L << 30;

    /// <summary>
    /// Just above what deflate can do at most: 258 bytes by two bits, 1032 to 1 (zlib, "Maximum Compression Factor"). gzip never gets
    /// there; zstd makes 128 KiB of four bytes (RFC 8878, 3.1.1.2.2).
    /// </summary>
    internal const int DefaultExpansion = 1100;

    /// <summary>Bytes that any layer may have, however small its blob: a database file of zeros is nothing bad.</summary>
    internal const long SizeAlwaysAllowed = 1L << 30;

    /// <summary>The largest layers of Windows have some 300,000. Each takes about 500 bytes of memory while it is imported.</summary>
    internal const int DefaultEntries = 1_000_000;

    /// <summary>UTF-16 units of names an entry, on average. Windows' longest, in WinSxS, have about 140; a path may have 32,767.</summary>
    internal const int NameUnitsPerEntry = 128;

    /// <summary>Directories above an entry. Paths of 260 units have 128 at most; the deepest that programs make, a few hundred.</summary>
    internal const int MaxDepth = 1024;

    /// <summary>Bytes of one layer's tar: <c>--max-layer-size</c>.</summary>
    public long MaxLayerSize { get; init; } = DefaultLayerSize;

    /// <summary>How many bytes of tar one byte of compressed data may become, beyond what is always allowed: <c>--max-expansion</c>.</summary>
    public int MaxExpansion { get; init; } = DefaultExpansion;

    /// <summary>Names that one layer gives or removes, directories it does not name included: <c>--max-entries</c>.</summary>
    public int MaxEntries { get; init; } = DefaultEntries;

    /// <summary>UTF-16 units of all of them together.</summary>
    internal long MaxNameUnits => (long)MaxEntries * NameUnitsPerEntry;

    /// <summary>Reads <see cref="MaxLayerSize"/> as people write it.</summary>
    /// <exception cref="InvalidDataException">It is no size, or none at all.</exception>
    internal static long ParseLayerSize(string text) =>
        Quantities.ParseSize(text) is > 0 and var bytes ? bytes : throw new InvalidDataException("--max-layer-size must be at least 1 byte");

    /// <summary>Looks whether a tar may be as long as it is by now.</summary>
    /// <param name="tar">Its bytes so far.</param>
    /// <param name="compressed">The bytes that they were made of, read so far: what a manifest says of them may be a lie.</param>
    /// <exception cref="LayerImportException">It may not.</exception>
    internal void CheckSize(long tar, long compressed)
    {
        if (tar > MaxLayerSize)
        {
            throw new LayerImportException(string.Create(
                CultureInfo.InvariantCulture, $"its uncompressed tar is longer than the {MaxLayerSize} bytes a layer may have: --max-layer-size allows more"));
        }

        if (tar > SizeAlwaysAllowed && tar / MaxExpansion > compressed)
        {
            throw new LayerImportException(string.Create(
                CultureInfo.InvariantCulture, $"{compressed} bytes of it become more than {MaxExpansion} times as many: --max-expansion allows more"));
        }
    }
}
