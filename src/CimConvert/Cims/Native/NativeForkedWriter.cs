using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Interop;
using CimConvert.Storage;

namespace CimConvert.Cims.Native;

/// <summary>
/// One standard CIM forked from another by Windows' own writer, call for call as Microsoft's importer does (shared reference,
/// windows-layers.md): what is removed is deleted, links are made at once. Windows finds the parent beside the new CIM: while
/// that is written, in a folder of its own, the parent's files are there under further names.
/// </summary>
/// <remarks>
/// Missing directories above a file are not created, as the parent CIM may have them: where it does not, the writer's error says so.
/// A name that comes again in the layer is deleted first. One that only the parent has is not: the reference leaves it to the writer
/// to replace it.
/// </remarks>
internal sealed class NativeForkedWriter : ICimWriter
{
    private readonly PartialCimSet _set;
    private readonly List<string> _parentFiles = [];
    private readonly NativeEntries _entries = new();
    private readonly CimImageHandle _image;
    private readonly NativeFiles _files;

    public NativeForkedWriter(string cimFile, string? parentCim)
    {
        NativeBackend.RequireForking();
        _set = new PartialCimSet(cimFile, parentCim);
        try
        {
            if (parentCim is not null)
            {
                LinkParent(Path.GetFullPath(parentCim));
            }

            var folder = NativePath.Of(_set.Folder);
            NativeCim.Check(
                CimFsNative.CimCreateImage(folder, parentCim is null ? null : Path.GetFileName(parentCim), Path.GetFileName(cimFile), out _image),
                nameof(CimFsNative.CimCreateImage),
                folder);
            _files = new NativeFiles(_image);
        }
        catch
        {
            _set.Dispose();
            throw;
        }
    }

    public bool LinksAtOnce => true;

    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        _files.ThrowIfOpen();
        NativeFiles.ThrowIfSized(path, metadata);
        var isDirectory = metadata.IsDirectory && metadata.Reparse.IsEmpty;
        Prepare(path, isDirectory);
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
        _files.ThrowIfOpen();
        Prepare(newPath, isDirectory: false);
        NativeCim.Check(
            CimFsNative.CimCreateHardLink(_image, newPath.Value, existingPath.Value), nameof(CimFsNative.CimCreateHardLink), $"{newPath}' -> '{existingPath}");
        _entries[newPath] = NativeEntryKind.Leaf;
    }

    /// <summary>The parent's files are files of this image.</summary>
    public void CreateMergeLink(CimPath newPath, CimPath targetPath) => CreateHardLink(newPath, targetPath);

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
            case NativeEntryKind.None:
                var result = CimFsNative.CimDeletePath(_image, path.Value);
                if (!NativeErrors.IsNotFound(result))
                {
                    NativeCim.Check(result, nameof(CimFsNative.CimDeletePath), path.Value);
                }

                _entries[path] = NativeEntryKind.Tombstone;
                break;
            default:
                // Whiteouts speak of lower layers only, and a file of this layer has replaced those already.
                break;
        }
    }

    public void MakeOpaque(CimPath directory) => throw NativeEntries.Opaque(directory);

    public CommittedCim Commit(CancellationToken cancellationToken)
    {
        _files.ThrowIfOpen();
        cancellationToken.ThrowIfCancellationRequested();
        NativeCim.Check(CimFsNative.CimCommitImage(_image), nameof(CimFsNative.CimCommitImage), _set.Folder);
        _image.Dispose();
        _parentFiles.ForEach(File.Delete);
        foreach (var file in Directory.EnumerateFiles(_set.Folder))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            stream.Flush(flushToDisk: true);
        }

        return _set.Finish(new BlockCimOptions(), cancellationToken);
    }

    public void Dispose()
    {
        _files.Dispose();
        _image.Dispose();
        _set.Dispose();
    }

    private void LinkParent(string parentCim)
    {
        var directory = Path.GetDirectoryName(parentCim)!;
        using var file = new FileRandomReader(parentCim);
        var header = CimHeader.Read(file);
        var names = header.Parents.Append(header.Own).SelectMany(set => set.FileNames).Append(Path.GetFileName(parentCim));
        foreach (var name in names.Where(name => File.Exists(Path.Combine(directory, name))))
        {
            var link = Path.Combine(_set.Folder, name);
            if (!HardLink.TryCreate(link, Path.Combine(directory, name)))
            {
                throw new IOException($"'{link}' cannot be made a link to the parent's file: the directory must be on a file system with hard links, as NTFS");
            }

            _parentFiles.Add(link);
        }
    }

    /// <summary>
    /// Makes way for a name of this layer, and notes the directories above it: they are the parent's, unless this layer removed them,
    /// and may not be removed with what is in them now.
    /// </summary>
    private void Prepare(CimPath path, bool isDirectory)
    {
        var above = new Stack<CimPath>();
        for (var parent = path.Parent; !parent.IsRoot && _entries[parent] != NativeEntryKind.Directory; parent = parent.Parent)
        {
            above.Push(parent);
        }

        while (above.TryPop(out var directory))
        {
            switch (_entries[directory])
            {
                case NativeEntryKind.Leaf:
                    throw new InvalidDataException($"it lies below '{directory}', which is not a directory");
                case NativeEntryKind.Tombstone:
                    _files.CreateDirectory(directory);
                    break;
                default:
                    break;
            }

            _entries[directory] = NativeEntryKind.Directory;
        }

        switch (_entries[path])
        {
            case NativeEntryKind.Directory when !isDirectory:
                throw new InvalidDataException("the layer has a directory by that name");
            case NativeEntryKind.Leaf when isDirectory:
                throw new InvalidDataException("a directory where the layer has something else by that name");
            case NativeEntryKind.Leaf:
                NativeCim.Check(CimFsNative.CimDeletePath(_image, path.Value), nameof(CimFsNative.CimDeletePath), path.Value);
                break;
            default:
                break;
        }
    }
}
