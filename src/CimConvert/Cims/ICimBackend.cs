namespace CimConvert.Cims;

/// <summary>How a block file is written.</summary>
/// <param name="Integrity">Seal the file, and keep its 32-byte root digest in a file beside it.</param>
/// <param name="VhdFooter">Append a fixed VHD footer, so that the file can be attached as a disk.</param>
/// <param name="Digest">
/// Hash the file while it is written, on another thread, if the back end can: <see cref="CommittedCim.Sha256"/>.
/// </param>
internal sealed record BlockCimOptions(bool Integrity = false, bool VhdFooter = false, bool Digest = false);

/// <summary>A CIM that is complete and has its final name.</summary>
/// <param name="Path">The block file, or the <c>.cim</c> file of a standard CIM.</param>
/// <param name="Size">Size in bytes, of all the CIM's own files; includes the VHD footer.</param>
/// <param name="IntegrityRoot">The 32-byte root digest of a sealed file; null if it is not sealed.</param>
/// <param name="Sha256">SHA-256 of the whole file; null if it was not hashed while it was written.</param>
internal sealed record CommittedCim(string Path, long Size, byte[]? IntegrityRoot, byte[]? Sha256 = null);

/// <summary>Writes CIMs: Windows' own writer, or this project's. Both refuse a target that exists.</summary>
internal interface ICimBackend
{
    /// <summary><c>native</c> or <c>managed</c>, as in the command line, JSON and manifests.</summary>
    string Name { get; }

    /// <summary>Begins a block file with one CIM.</summary>
    ICimWriter Create(string blockFile, string cimName, BlockCimOptions options);

    /// <summary>
    /// Begins a standard CIM that contains a whole file system: the parent's, with what the layer adds and removes. Removed names leave
    /// nothing behind, and links to the parent's files are ordinary hard links.
    /// </summary>
    /// <param name="cimFile">The <c>.cim</c> file; its region and object ID files are written beside it.</param>
    /// <param name="parentCim">The <c>.cim</c> file to fork from, in the same directory; null for a base layer.</param>
    /// <param name="workFolder">
    /// Holds the files until they are complete, on the same file system; must not exist. Null for a folder beside the <c>.cim</c> file.
    /// </param>
    /// <exception cref="ConversionException">The CIM and its parent are not in one directory.</exception>
    /// <exception cref="InvalidDataException">The parent cannot be forked from.</exception>
    ICimWriter CreateForked(string cimFile, string? parentCim, string? workFolder = null);

    /// <summary>
    /// Checks whether a CIM can be a parent or source of what this back end writes. Without the check, a wrong file would only be noticed
    /// when containers fail to start.
    /// </summary>
    /// <exception cref="ConversionException">It cannot; the message names the file.</exception>
    /// <exception cref="InvalidDataException">The CIM is damaged.</exception>
    void CheckSource(BlockCim source);

    /// <summary>Merges CIMs, topmost first, into a block file that holds metadata only. A cancelled merge leaves nothing behind.</summary>
    CommittedCim Merge(
        string blockFile, string cimName, IReadOnlyList<BlockCim> sources, BlockCimOptions options, CancellationToken cancellationToken);
}
