using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.Interop;

namespace CimConvert.Cims.Native;

/// <summary>Adds files and their streams to an image open in Windows' writer, one stream at a time.</summary>
internal sealed class NativeFiles(CimImageHandle image) : IDisposable
{
    private CimStreamHandle? _stream;
    private string _streamPath = string.Empty;
    private long _left;

    public static void ThrowIfSized(CimPath path, in CimFileMetadata metadata)
    {
        if (metadata.Size != 0 && (metadata.IsDirectory || !metadata.Reparse.IsEmpty))
        {
            throw new InvalidDataException($"'{path}' is a directory or a link and cannot hold {metadata.Size} bytes");
        }
    }

    /// <summary>Adds a file or directory, and opens its stream.</summary>
    public unsafe void Create(CimPath path, in CimFileMetadata metadata)
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
            NativeCim.Check(CimFsNative.CimCreateFile(image, path.Value, native, out var stream), nameof(CimFsNative.CimCreateFile), path.Value);
            (_stream, _streamPath, _left) = (stream, path.Value, metadata.Size);
        }
    }

    /// <summary>Adds a directory that nobody described, as the managed writer does.</summary>
    public void CreateDirectory(CimPath path)
    {
        Create(path, new CimFileMetadata
        {
            Attributes = Win32Attributes.Directory,
            Size = 0,
            CreationTime = 0,
            LastWriteTime = 0,
            ChangeTime = 0,
            LastAccessTime = 0,
        });
        CloseStream();
    }

    public void CreateAlternateStream(CimPath file, string name, long size)
    {
        var path = $"{file}:{name}:$DATA";
        NativeCim.Check(
            CimFsNative.CimCreateAlternateStream(image, path, checked((ulong)size), out var stream),
            nameof(CimFsNative.CimCreateAlternateStream),
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

        NativeCim.Check(CimFsNative.CimWriteStream(stream, data, (uint)data.Length), nameof(CimFsNative.CimWriteStream), _streamPath);
        _left -= data.Length;
    }

    public void CloseStream()
    {
        using var stream = _stream ?? throw new InvalidOperationException("no stream is open");
        _stream = null;
        NativeCim.Check(stream.CloseStream(), nameof(CimFsNative.CimCloseStream), _streamPath);
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
