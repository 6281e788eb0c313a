using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>
/// One CIM being written, call for call what CimFS' writer offers (shared reference, cimfs-api.md).
/// The streams of <see cref="CreateFile"/> and <see cref="CreateAlternateStream"/> are open until <see cref="CloseStream"/>;
/// no other call comes while one is open. Not safe for use by several threads at once.
/// </summary>
/// <remarks>
/// <para>Disposing without <see cref="Commit"/> throws away what was written.</para>
/// <para>
/// A path added again, in any case of its letters, is replaced: the last call wins, links included. A directory added again
/// takes the new metadata and keeps its children. Directories that were never added are made where an entry lies below them.
/// <see cref="Tombstone"/> and <see cref="MakeOpaque"/> act on lower layers only and take nothing from this image.
/// </para>
/// </remarks>
internal interface ICimWriter : IDisposable
{
    /// <summary>
    /// Whether links must come when they are met, because what is removed is gone for every later call; else they may wait until
    /// all of the layer's files are known.
    /// </summary>
    bool LinksAtOnce => false;

    /// <summary>Makes the digest of the file that is written, for who follows it on a thread of its own; null where none does.</summary>
    GrowingFileDigest? Digest => null;

    /// <summary>Adds a file or directory and opens its default stream, which takes exactly <see cref="CimFileMetadata.Size"/> bytes.</summary>
    void CreateFile(CimPath path, in CimFileMetadata metadata);

    /// <summary>Opens an alternate stream of a file already added. <paramref name="name"/> has neither the file's name nor <c>:$DATA</c>.</summary>
    void CreateAlternateStream(CimPath file, string name, long size);

    /// <exception cref="InvalidDataException">More bytes than the stream was declared to hold.</exception>
    void Write(ReadOnlySpan<byte> data);

    /// <exception cref="InvalidDataException">Fewer bytes were written than declared.</exception>
    void CloseStream();

    /// <summary>Another name for a file of this image.</summary>
    void CreateHardLink(CimPath newPath, CimPath existingPath);

    /// <summary>A name for a file of a lower layer, resolved when the layers are merged.</summary>
    void CreateMergeLink(CimPath newPath, CimPath targetPath);

    /// <summary>Hides the path, and all below it, in lower layers.</summary>
    void Tombstone(CimPath path);

    /// <summary>Hides what lower layers have in the directory, which is made where it is missing.</summary>
    void MakeOpaque(CimPath directory);

    /// <summary>Makes the image whole and durable under the name it was created for. Nothing may be called after it but Dispose.</summary>
    CommittedCim Commit(CancellationToken cancellationToken);
}
