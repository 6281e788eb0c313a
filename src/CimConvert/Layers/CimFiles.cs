using System.Buffers;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>Files on disk made files of an cim.</summary>
internal static class CimFiles
{
    private const int CopyBufferSize = 256 * 1024;

    /// <summary>Adds a file with all of the stream's bytes, as many as the metadata says.</summary>
    public static void Add(ICimWriter cim, CimPath path, in CimFileMetadata metadata, Stream content, CancellationToken cancellationToken)
    {
        cim.CreateFile(path, metadata);
        Fill(cim, content, cancellationToken);
    }

    /// <summary>Writes all of a stream's bytes to the file or stream that is open, and closes it.</summary>
    public static void Fill(ICimWriter cim, Stream content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBufferSize);
        try
        {
            for (int read; (read = content.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                cim.Write(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        cim.CloseStream();
    }
}
