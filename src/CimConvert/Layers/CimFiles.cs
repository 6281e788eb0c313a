using System.Buffers;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>Files on disk made files of an image.</summary>
internal static class CimFiles
{
    private const int CopyBufferSize = 256 * 1024;

    /// <summary>Adds a file with all of the stream's bytes, as many as the metadata says.</summary>
    public static void Add(ICimWriter image, CimPath path, in CimFileMetadata metadata, Stream content, CancellationToken cancellationToken)
    {
        image.CreateFile(path, metadata);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBufferSize);
        try
        {
            for (int read; (read = content.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                image.Write(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        image.CloseStream();
    }
}
