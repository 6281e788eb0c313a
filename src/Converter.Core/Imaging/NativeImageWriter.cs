using Converter.Core.Native;
using Converter.Formats.Cim;
using CimWriter = Converter.Core.Native.CimWriter;

namespace Converter.Core.Imaging;

/// <summary>
/// One CIM written by Windows' own writer, call for call as Microsoft's importer does; the parity tests hold it to that.
/// </summary>
/// <remarks>
/// What the reference leaves to the API's undocumented behaviour is made explicit here, and has not been tried on Windows:
/// missing parents of files are created first, with the metadata the managed writer gives them, which then stands before a lower
/// layer's (a whiteout gets no parents: the recorded calls have none); a name that comes again is deleted first.
/// </remarks>
internal sealed class NativeImageWriter : IImageWriter
{
    private readonly NativeImage _image;
    private readonly NativeEntries _entries = new();
    private CimStreamHandle? _stream;
    private string _streamPath = string.Empty;
    private long _left;

    public NativeImageWriter(string blockFile, string cimName, ImageOptions options) =>
        _image = new NativeImage(blockFile, cimName, IntegrityFile.LayerName, options);

    public void CreateFile(CimPath path, in CimFileMetadata metadata)
    {
        ThrowIfOpen();
        if (metadata.Size != 0 && (metadata.IsDirectory || !metadata.Reparse.IsEmpty))
        {
            throw new InvalidDataException($"'{path}' is a directory or a link and cannot hold {metadata.Size} bytes");
        }

        // A link to a directory has nothing below it.
        var isDirectory = metadata.IsDirectory && metadata.Reparse.IsEmpty;
        MakeParents(path);
        MakeWay(path, isDirectory);
        Add(path, metadata);
        _entries[path] = isDirectory ? NativeEntryKind.Directory : NativeEntryKind.Leaf;
    }

    public void CreateAlternateStream(CimPath file, string name, long size)
    {
        ThrowIfOpen();
        var path = $"{file}:{name}:$DATA";
        NativeImage.Check(
            CimWriter.CimCreateAlternateStream(_image.Handle, path, checked((ulong)size), out var stream),
            nameof(CimWriter.CimCreateAlternateStream),
            path);
        (_stream, _streamPath, _left) = (stream, path, size);
    }

    /// <summary>The API itself does not report more or fewer bytes than declared (shared reference, cimfs-api.md).</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        var stream = _stream ?? throw new InvalidOperationException("no stream is open");
        if (data.Length > _left)
        {
            throw new InvalidDataException($"'{_streamPath}' gets more bytes than declared: {data.Length} where {_left} are left");
        }

        if (data.IsEmpty)
        {
            return;
        }

        NativeImage.Check(CimWriter.CimWriteStream(stream, data, (uint)data.Length), nameof(CimWriter.CimWriteStream), _streamPath);
        _left -= data.Length;
    }

    public void CloseStream()
    {
        using var stream = _stream ?? throw new InvalidOperationException("no stream is open");
        _stream = null;
        NativeImage.Check(stream.CloseStream(), nameof(CimWriter.CimCloseStream), _streamPath);
        if (_left != 0)
        {
            throw new InvalidDataException($"'{_streamPath}' lacks {_left} bytes of those declared");
        }
    }

    public void CreateHardLink(CimPath newPath, CimPath existingPath)
    {
        PrepareLink(newPath);
        NativeImage.Check(
            CimWriter.CimCreateHardLink(_image.Handle, newPath.Value, existingPath.Value), nameof(CimWriter.CimCreateHardLink), $"{newPath}' -> '{existingPath}");
        _entries[newPath] = NativeEntryKind.Leaf;
    }

    public void CreateMergeLink(CimPath newPath, CimPath targetPath)
    {
        PrepareLink(newPath);
        NativeImage.Check(
            CimWriter.CimCreateMergeLink(_image.Handle, newPath.Value, targetPath.Value), nameof(CimWriter.CimCreateMergeLink), $"{newPath}' -> '{targetPath}");
        _entries[newPath] = NativeEntryKind.Leaf;
    }

    public void Tombstone(CimPath path)
    {
        ThrowIfOpen();
        if (path.IsRoot)
        {
            throw new InvalidDataException("the image's root cannot be removed");
        }

        switch (_entries[path])
        {
            case NativeEntryKind.Directory:
                throw NativeEntries.Opaque(path);
            case NativeEntryKind.None when !_entries.LiesBelowTombstone(path):
                NativeImage.Check(CimWriter.CimTombstoneFile(_image.Handle, path.Value), nameof(CimWriter.CimTombstoneFile), path.Value);
                _entries[path] = NativeEntryKind.Tombstone;
                break;
            default:
                // Whiteouts speak of lower layers only, and a file of this layer hides those already.
                break;
        }
    }

    public void MakeOpaque(CimPath directory) => throw NativeEntries.Opaque(directory);

    public CommittedImage Commit(CancellationToken cancellation)
    {
        ThrowIfOpen();
        return _image.Commit(cancellation);
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _image.Dispose();
    }

    private unsafe void Add(CimPath path, in CimFileMetadata metadata)
    {
        // An empty descriptor would leave the CIM in a bad state (shared reference, cimfs-api.md).
        var descriptor = metadata.SecurityDescriptor.IsEmpty ? SecurityDescriptor.NullDacl : metadata.SecurityDescriptor;
        fixed (byte* sd = descriptor.Span, reparse = metadata.Reparse.Span, attributes = metadata.ExtendedAttributes.Span)
        {
            var native = new CimFsFileMetadata
            {
                Attributes = metadata.Attributes,
                FileSize = metadata.Size,
                CreationTime = metadata.CreationTime,
                LastWriteTime = metadata.LastWriteTime,
                ChangeTime = metadata.ChangeTime,
                LastAccessTime = metadata.LastAccessTime,
                SecurityDescriptor = (nint)sd,
                SecurityDescriptorSize = (uint)descriptor.Length,
                Reparse = (nint)reparse,
                ReparseSize = (uint)metadata.Reparse.Length,
                ExtendedAttributes = (nint)attributes,
                ExtendedAttributesSize = (uint)metadata.ExtendedAttributes.Length,
            };
            NativeImage.Check(
                CimWriter.CimCreateFile(_image.Handle, path.Value, native, out var stream), nameof(CimWriter.CimCreateFile), path.Value);
            (_stream, _streamPath, _left) = (stream, path.Value, metadata.Size);
        }
    }

    private void MakeParents(CimPath path)
    {
        var missing = _entries.MissingParents(path);
        while (missing.TryPop(out var parent))
        {
            Add(parent, new CimFileMetadata
            {
                Attributes = Win32Attributes.Directory,
                Size = 0,
                CreationTime = 0,
                LastWriteTime = 0,
                ChangeTime = 0,
                LastAccessTime = 0,
            });
            CloseStream();
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
                NativeImage.Check(CimWriter.CimDeletePath(_image.Handle, path.Value), nameof(CimWriter.CimDeletePath), path.Value);
                break;
            default:
                break;
        }
    }

    private void PrepareLink(CimPath path)
    {
        ThrowIfOpen();
        MakeParents(path);
        MakeWay(path, isDirectory: false);
    }

    private void ThrowIfOpen()
    {
        if (_stream is not null)
        {
            throw new InvalidOperationException($"the stream of '{_streamPath}' is still open");
        }
    }
}
