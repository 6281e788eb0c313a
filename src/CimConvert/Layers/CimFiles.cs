using System.Buffers;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>Copies streams into files of a CIM.</summary>
internal static class CimFiles
{
    private const int CopyBufferSize = 256 * 1024;

    /// <summary>Adds a file with the whole content of a stream, whose length must be the metadata's size.</summary>
    public static void Add(ICimWriter cim, CimPath path, in CimFileMetadata metadata, Stream content, CancellationToken cancellationToken)
    {
        cim.CreateFile(path, metadata);
        Fill(cim, content, cancellationToken);
    }

    /// <summary>Writes the whole content of a stream to the open file or stream of the CIM, and closes that.</summary>
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
