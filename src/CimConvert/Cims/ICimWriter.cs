using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>What a writer leaves to its caller where names are concerned; <c>Layers.LayerTree</c> decides by it.</summary>
internal enum NameHandling
{
    /// <summary>
    /// The writer keeps all names until the end: a name that comes again replaces the first, missing directories are implicit, and a
    /// removed name may be any.
    /// </summary>
    KeepsTree,

    /// <summary>
    /// CimFS, a layer's own CIM: directories above an entry are created first, a name that comes again is deleted first, a removed
    /// name (tombstone) is an entry of the CIM, and a directory that is there cannot hide what lower layers have in it.
    /// </summary>
    Block,

    /// <summary>
    /// CimFS, a CIM forked from the parent's: as <see cref="Block"/>, but the parent's files are files of the CIM. So directories are
    /// there unless the layer removed them, what is removed leaves nothing, and links are made when they come.
    /// </summary>
    Forked,
}

/// <summary>
/// One CIM being written, call for call what CimFS' writer offers (docs/cimfs-api.md). Carries out, and decides nothing: which
/// calls a layer's entries become is decided by <c>Layers.LayerTree</c>.
/// The streams of <see cref="CreateFile"/> and <see cref="CreateAlternateStream"/> are open until <see cref="CloseStream"/>;
/// no other call comes while one is open. Not safe for use by several threads at once.
/// </summary>
/// <remarks>
/// Disposing without <see cref="Commit"/> throws away what was written. <see cref="Tombstone"/> and <see cref="MakeOpaque"/> act on
/// lower layers only and take nothing from this CIM.
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

    /// <summary>Another name for a file of this CIM.</summary>
    void CreateHardLink(CimPath newPath, CimPath existingPath);

    /// <summary>A name for a file of a lower layer, resolved when the layers are merged.</summary>
    void CreateMergeLink(CimPath newPath, CimPath targetPath);

    /// <summary>Hides the path, and all below it, in lower layers; in a forked CIM, removes it.</summary>
    void Tombstone(CimPath path);

    /// <summary>Hides what lower layers have in the directory, which is made where it is missing.</summary>
    /// <exception cref="InvalidDataException">The writer cannot.</exception>
    void MakeOpaque(CimPath directory);

    /// <summary>Takes a name of this CIM back, so that it can come again. Not called where the writer keeps a tree.</summary>
    void Delete(CimPath path) => throw new NotSupportedException("names are replaced, not deleted");

    /// <summary>Makes the CIM whole and durable under the name it was created for. Nothing may be called after it but Dispose.</summary>
    CommittedCim Commit(CancellationToken cancellationToken);
}
