using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>How much of the handling of names a writer leaves to its caller; <c>Layers.LayerTree</c> decides accordingly.</summary>
internal enum NameHandling
{
    /// <summary>
    /// The managed writer: it keeps all names in memory until the commit. A repeated name replaces the first, missing directories are
    /// added, and any name may be removed.
    /// </summary>
    KeepsTree,

    /// <summary>
    /// Windows' writer, a block CIM, which contains one layer: directories above an entry must be created first, a repeated name must be
    /// deleted first, a removed name is an entry of the CIM (a tombstone), and a directory that is present cannot hide what lower layers
    /// have in it.
    /// </summary>
    Block,

    /// <summary>
    /// Windows' writer, a CIM forked from its parent's: as <see cref="Block"/>, but the parent's files are files of this CIM. So
    /// directories exist unless the layer removed them, removed names leave nothing, and links are made at once.
    /// </summary>
    Forked,
}

/// <summary>Errors for names of a layer that a writer cannot store.</summary>
internal static class NameRefusals
{
    /// <summary>
    /// For a directory that must exist and hide what lower layers have in it: CimFS has a call that removes a name of lower layers, and
    /// none that does this. With a directory and a tombstone at one path, it would be undefined whether removed files come back.
    /// </summary>
    public static InvalidDataException NotOpaque(CimPath directory) => new(
        $"directory '{directory}' must hide what lower layers have in it, and Windows' writer has no call for that: use --backend managed");
}

/// <summary>
/// A CIM that is being written; each method is one call of CimFS' writer (docs/cimfs-api.md). Implementations only carry out the calls;
/// which calls a layer's entries become is decided by <c>Layers.LayerTree</c>. The stream that <see cref="CreateFile"/> or
/// <see cref="CreateAlternateStream"/> opens stays open until <see cref="CloseStream"/>, and no other call may come in between. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// Disposing without <see cref="Commit"/> discards what was written. <see cref="Tombstone"/> and <see cref="MakeOpaque"/> act on lower
/// layers only and remove nothing from this CIM.
/// </remarks>
internal interface ICimWriter : IDisposable
{
    NameHandling Names => NameHandling.KeepsTree;

    /// <summary>Adds a file or directory and opens its default stream, which takes exactly <see cref="CimFileMetadata.Size"/> bytes.</summary>
    void CreateFile(CimPath path, in CimFileMetadata metadata);

    /// <summary>Opens an alternate stream of a file already added. <paramref name="name"/> has neither the file's name nor <c>:$DATA</c>.</summary>
    void CreateAlternateStream(CimPath file, string name, long size);

    /// <exception cref="InvalidDataException">More bytes than the stream was declared to hold.</exception>
    void Write(ReadOnlySpan<byte> data);

    /// <exception cref="InvalidDataException">Fewer bytes were written than declared.</exception>
    void CloseStream();

    /// <summary>Adds another name for a file of this CIM.</summary>
    void CreateHardLink(CimPath newPath, CimPath existingPath);

    /// <summary>Adds a name for a file of a lower layer, which the merge of the layers resolves.</summary>
    void CreateMergeLink(CimPath newPath, CimPath targetPath);

    /// <summary>Hides the path, and all below it, in lower layers; in a forked CIM, removes it.</summary>
    void Tombstone(CimPath path);

    /// <summary>Hides what lower layers have in the directory, which is created if it is missing.</summary>
    /// <exception cref="InvalidDataException">The writer has no call for it.</exception>
    void MakeOpaque(CimPath directory);

    /// <summary>Removes a name of this CIM, so that it can be added again. Not called for <see cref="NameHandling.KeepsTree"/>.</summary>
    void Delete(CimPath path) => throw new NotSupportedException("names are replaced, not deleted");

    /// <summary>Completes the CIM, flushes it to the disk, and gives it its final name. Only Dispose may be called afterwards.</summary>
    CommittedCim Commit(CancellationToken cancellationToken);
}
