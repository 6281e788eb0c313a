namespace CimConvert.Cims;

/// <summary>How block CIM files are made.</summary>
/// <param name="Integrity">Seal them, and keep the 32-byte root digest beside each.</param>
/// <param name="VhdFooter">Append a fixed VHD footer, so that they can be attached as disks.</param>
/// <param name="Digest">Hash a layer's file while it is written, on a thread of its own, if the back end can: <see cref="CommittedCim.Sha256"/>.</param>
internal sealed record BlockCimOptions(bool Integrity = false, bool VhdFooter = false, bool Digest = false);

/// <summary>A block file that is complete and under its final name.</summary>
/// <param name="Path">The block file.</param>
/// <param name="Size">Bytes, footer included.</param>
/// <param name="IntegrityRoot">The 32-byte root digest of a sealed file; null for another.</param>
/// <param name="Sha256">Of the whole file, where somebody followed its writing; null where it has to be read for that.</param>
internal sealed record CommittedCim(string Path, long Size, byte[]? IntegrityRoot, byte[]? Sha256 = null);

/// <summary>One of the two ways to write CIMs: Windows' own writer, or ours. Both refuse a target that exists.</summary>
internal interface ICimBackend
{
    /// <summary><c>native</c> or <c>managed</c>, as command line, JSON and manifests say it.</summary>
    string Name { get; }

    /// <summary>Starts a block file that will hold one CIM.</summary>
    ICimWriter Create(string blockFile, string cimName, BlockCimOptions options);

    /// <summary>
    /// Starts a standard CIM that holds a whole file system: the parent's, with what the layer adds and removes. What is removed is
    /// gone; links may be to files of the parent, and are hard links.
    /// </summary>
    /// <param name="cimFile">The <c>.cim</c> file; its region and object ID files go beside it.</param>
    /// <param name="parentCim">The <c>.cim</c> file it is forked from, in the same directory; null for a base layer.</param>
    /// <exception cref="ConversionException">The two are not in one directory.</exception>
    /// <exception cref="InvalidDataException">The parent cannot be forked from.</exception>
    ICimWriter CreateForked(string cimFile, string? parentCim);

    /// <summary>Looks whether a file can be a parent or source of what this back end writes: what is no CIM is found out now, not when containers fail to start.</summary>
    /// <exception cref="ConversionException">It cannot; the message names it.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    void CheckSource(BlockCim source);

    /// <summary>Merges CIMs, topmost first, into a block file of metadata; stopped, it leaves nothing behind.</summary>
    CommittedCim Merge(
        string blockFile, string cimName, IReadOnlyList<BlockCim> sources, BlockCimOptions options, CancellationToken cancellationToken);
}
