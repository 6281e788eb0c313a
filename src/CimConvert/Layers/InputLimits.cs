using System.Globalization;

namespace CimConvert.Layers;

/// <summary>
/// The resources that one layer may use. Layers are untrusted and may expand without bound. These are the limits that users may need to
/// raise; the others are constants beside the code that they protect. docs/threat-model.md lists all of them.
/// </summary>
public sealed record InputLimits
{
    /// <summary>A Windows layer with Visual Studio has about 40 GB; 128 GiB is more than a container's disk holds by default.</summary>
    internal const long DefaultLayerSize = 128L << 30;

    /// <summary>
    /// Just above the highest ratio of deflate, 258 bytes from two bits, 1032:1 (zlib, "Maximum Compression Factor"). gzip stays below it;
    /// zstd can make 128 KiB from four bytes (RFC 8878, 3.1.1.2.2).
    /// </summary>
    internal const int DefaultExpansion = 1100;

    /// <summary>Bytes below which the ratio is not checked: a file of zeros, such as a new database, is legitimate.</summary>
    internal const long SizeAlwaysAllowed = 1L << 30;

    /// <summary>The largest Windows layers have about 300,000 entries. Each uses about 500 bytes of memory during the import.</summary>
    internal const int DefaultEntries = 1_000_000;

    /// <summary>
    /// UTF-16 units of names for each entry, on average. The longest names of Windows, in WinSxS, have about 140; a path may have 32,767.
    /// </summary>
    internal const int NameUnitsPerEntry = 128;

    /// <summary>
    /// The most components of a path. Paths of 260 units have at most 128; the deepest that programs create have a few hundred.
    /// </summary>
    internal const int MaxDepth = 1024;

    /// <summary>The most bytes of a layer's uncompressed tar: <c>--max-layer-size</c>.</summary>
    public long MaxLayerSize { get; init; } = DefaultLayerSize;

    /// <summary>The most bytes of tar for each byte of compressed data, above 1 GiB of tar: <c>--max-expansion</c>.</summary>
    public int MaxExpansion { get; init; } = DefaultExpansion;

    /// <summary>The most names that a layer adds or removes, with the directories that they imply: <c>--max-entries</c>.</summary>
    public int MaxEntries { get; init; } = DefaultEntries;

    /// <summary>The most UTF-16 units of all of these names together.</summary>
    internal long MaxNameUnits => (long)MaxEntries * NameUnitsPerEntry;

    /// <summary>Parses a size for <see cref="MaxLayerSize"/>, such as <c>64GiB</c>.</summary>
    /// <exception cref="InvalidDataException">The text is not a size, or the size is 0.</exception>
    internal static long ParseLayerSize(string text) =>
        Quantities.ParseSize(text) is > 0 and var bytes ? bytes : throw new InvalidDataException("the largest layer size must be at least 1 byte, not 0");

    /// <summary>Checks the size of a tar while it is read.</summary>
    /// <param name="tar">Bytes of the tar so far.</param>
    /// <param name="compressed">Compressed bytes that were really read so far: the size in the manifest is untrusted.</param>
    /// <exception cref="LayerImportException">A limit is exceeded.</exception>
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
                CultureInfo.InvariantCulture, $"{compressed} compressed bytes expand to more than {MaxExpansion} times as many: --max-expansion allows more"));
        }
    }
}
