using CimConvert.Formats.Cim;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>Adds files and streams to a CIM that is open in Windows' writer, one stream at a time.</summary>
internal sealed class NativeFiles(CimImageHandle cim) : IDisposable
{
    private CimStreamHandle? _stream;
    private string _streamPath = string.Empty;
    private long _left;

    /// <summary>Adds a file or directory, and opens its stream.</summary>
    public unsafe void Create(CimPath path, in CimFileMetadata metadata)
    {
        ThrowIfOpen();
        if (metadata.Size != 0 && (metadata.IsDirectory || !metadata.Reparse.IsEmpty))
        {
            throw new InvalidDataException($"'{path}' is a directory or a link and cannot hold {metadata.Size} bytes");
        }

        fixed (byte* sd = metadata.SecurityDescriptor.Span, reparse = metadata.Reparse.Span, attributes = metadata.ExtendedAttributes.Span)
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
                SecurityDescriptorSize = (uint)metadata.SecurityDescriptor.Length,
                Reparse = (nint)reparse,
                ReparseSize = (uint)metadata.Reparse.Length,
                ExtendedAttributes = (nint)attributes,
                ExtendedAttributesSize = (uint)metadata.ExtendedAttributes.Length,
            };
            NativeErrors.ThrowIfFailed(CimFsWriting.CimCreateFile(cim, path.Value, native, out var stream), nameof(CimFsWriting.CimCreateFile), path.Value);
            (_stream, _streamPath, _left) = (stream, path.Value, metadata.Size);
        }
    }

    public void CreateHardLink(CimPath newPath, CimPath existingPath)
    {
        ThrowIfOpen();
        NativeErrors.ThrowIfFailed(
            CimFsWriting.CimCreateHardLink(cim, newPath.Value, existingPath.Value), nameof(CimFsWriting.CimCreateHardLink), $"{newPath}' -> '{existingPath}");
    }

    public void Delete(CimPath path)
    {
        ThrowIfOpen();
        NativeErrors.ThrowIfFailed(CimFsWriting.CimDeletePath(cim, path.Value), nameof(CimFsWriting.CimDeletePath), path.Value);
    }

    public void CreateAlternateStream(CimPath file, string name, long size)
    {
        ThrowIfOpen();
        var path = $"{file}:{name}:$DATA";
        NativeErrors.ThrowIfFailed(
            CimFsWriting.CimCreateAlternateStream(cim, path, checked((ulong)size), out var stream),
            nameof(CimFsWriting.CimCreateAlternateStream),
            path);
        (_stream, _streamPath, _left) = (stream, path, size);
    }

    /// <summary>Checks the number of bytes, because the API does not report more or fewer than declared (docs/cimfs-api.md).</summary>
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

        NativeErrors.ThrowIfFailed(CimFsWriting.CimWriteStream(stream, data, (uint)data.Length), nameof(CimFsWriting.CimWriteStream), _streamPath);
        _left -= data.Length;
    }

    public void CloseStream()
    {
        using var stream = _stream ?? throw new InvalidOperationException("no stream is open");
        _stream = null;
        NativeErrors.ThrowIfFailed(stream.CloseStream(), nameof(CimFsWriting.CimCloseStream), _streamPath);
        if (_left != 0)
        {
            throw new InvalidDataException($"'{_streamPath}' lacks {_left} bytes of those declared");
        }
    }

    public void ThrowIfOpen()
    {
        if (_stream is not null)
        {
            throw new InvalidOperationException($"the stream of '{_streamPath}' is still open");
        }
    }

    public void Dispose() => _stream?.Dispose();
}
