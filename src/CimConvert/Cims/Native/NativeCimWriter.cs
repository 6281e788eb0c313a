using CimConvert.Formats.Cim;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>
/// One CIM written by Windows' own writer, call for call as Microsoft's importer does; the parity tests hold it to that.
/// </summary>
/// <remarks>
/// What the reference leaves to the API's undocumented behaviour is made explicit here, and has not been tried on Windows:
/// missing parents of files are created first, with the metadata the managed writer gives them, which then stands before a lower
/// layer's (a whiteout gets no parents: the recorded calls have none); a name that comes again is deleted first.
/// </remarks>
internal sealed class NativeCimWriter : ICimWriter
{
    private readonly NativeCim _image;
    private readonly NativeEntries _entries = new();
    private readonly NativeFiles _files;

    public NativeCimWriter(string blockFile, string cimName, BlockCimOptions options)
    {
        _image = new NativeCim(blockFile, cimName, IntegrityFile.LayerName, options);
        _files = new NativeFiles(_image.Handle);
    }

    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        _files.ThrowIfOpen();
        NativeFiles.ThrowIfSized(path, metadata);

        // A link to a directory has nothing below it.
        var isDirectory = metadata.IsDirectory && metadata.Reparse.IsEmpty;
        MakeParents(path);
        MakeWay(path, isDirectory);
        _files.Create(path, metadata);
        _entries[path] = isDirectory ? NativeEntryKind.Directory : NativeEntryKind.Leaf;
    }

    public void CreateAlternateStream(CimPath file, string name, long size)
    {
        _files.ThrowIfOpen();
        _files.CreateAlternateStream(file, name, size);
    }

    public void Write(ReadOnlySpan<byte> data) => _files.Write(data);

    public void CloseStream() => _files.CloseStream();

    public void CreateHardLink(CimPath newPath, CimPath existingPath)
    {
        PrepareLink(newPath);
        NativeCim.Check(
            CimFsNative.CimCreateHardLink(_image.Handle, newPath.Value, existingPath.Value), nameof(CimFsNative.CimCreateHardLink), $"{newPath}' -> '{existingPath}");
        _entries[newPath] = NativeEntryKind.Leaf;
    }

    public void CreateMergeLink(CimPath newPath, CimPath targetPath)
    {
        PrepareLink(newPath);
        NativeCim.Check(
            CimFsNative.CimCreateMergeLink(_image.Handle, newPath.Value, targetPath.Value), nameof(CimFsNative.CimCreateMergeLink), $"{newPath}' -> '{targetPath}");
        _entries[newPath] = NativeEntryKind.Leaf;
    }

    public void Tombstone(CimPath path)
    {
        _files.ThrowIfOpen();
        if (path.IsRoot)
        {
            throw new InvalidDataException("the image's root cannot be removed");
        }

        switch (_entries[path])
        {
            case NativeEntryKind.Directory:
                throw NativeEntries.Opaque(path);
            case NativeEntryKind.None when !_entries.LiesBelowTombstone(path):
                NativeCim.Check(CimFsNative.CimTombstoneFile(_image.Handle, path.Value), nameof(CimFsNative.CimTombstoneFile), path.Value);
                _entries[path] = NativeEntryKind.Tombstone;
                break;
            default:
                // Whiteouts speak of lower layers only, and a file of this layer hides those already.
                break;
        }
    }

    public void MakeOpaque(CimPath directory) => throw NativeEntries.Opaque(directory);

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _files.ThrowIfOpen();
        return _image.Commit(cancellationToken);
    }

    public void Dispose()
    {
        _files.Dispose();
        _image.Dispose();
    }

    private void MakeParents(CimPath path)
    {
        var missing = _entries.MissingParents(path);
        while (missing.TryPop(out var parent))
        {
            _files.CreateDirectory(parent);
            _entries[parent] = NativeEntryKind.Directory;
        }
    }

    /// <summary>The last entry of a name wins; a directory that comes again only gets the new metadata.</summary>
    private void MakeWay(CimPath path, bool isDirectory)
    {
        switch (_entries[path])
        {
            case NativeEntryKind.Tombstone when isDirectory:
                throw NativeEntries.Opaque(path);
            case NativeEntryKind.Directory when !isDirectory:
                throw new InvalidDataException("the layer has a directory by that name");
            case NativeEntryKind.Leaf when isDirectory:
                throw new InvalidDataException("a directory where the layer has something else by that name");
            case NativeEntryKind.Leaf or NativeEntryKind.Tombstone:
                NativeCim.Check(CimFsNative.CimDeletePath(_image.Handle, path.Value), nameof(CimFsNative.CimDeletePath), path.Value);
                break;
            default:
                break;
        }
    }

    private void PrepareLink(CimPath path)
    {
        _files.ThrowIfOpen();
        MakeParents(path);
        MakeWay(path, isDirectory: false);
    }
}
