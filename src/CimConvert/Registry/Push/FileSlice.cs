using System.Buffers;
using System.Net;

namespace CimConvert.Registry.Push;

/// <summary>Part of a file as the body of a request. It is read anew each time it is sent, so that a refused request can be repeated.</summary>
/// <param name="path">The file.</param>
/// <param name="start">The part's first byte.</param>
/// <param name="length">Bytes of the part.</param>
/// <param name="sent">Told after each piece: its bytes, and those still to come.</param>
internal sealed class FileSlice(string path, long start, long length, Action<int, long> sent) : HttpContent
{
    private const int BufferSize = 128 << 10;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using var file = Open();
            for (long done = 0; done < length;)
            {
                var piece = buffer.AsMemory(0, (int)Math.Min(BufferSize, length - done));
                var count = await ReadAsync(file, piece, cancellationToken);
                await stream.WriteAsync(piece[..count], cancellationToken);
                done += count;
                sent(count, length - done);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long bytes)
    {
        bytes = length;
        return true;
    }

    private FileStream Open()
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous)
            {
                Position = start,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e.Message, e);
        }
    }

    /// <summary>Failures of the disk are told apart from those of the connection, which look the same and are worth another attempt.</summary>
    private async ValueTask<int> ReadAsync(FileStream file, Memory<byte> piece, CancellationToken cancellationToken)
    {
        try
        {
            return await file.ReadAsync(piece, cancellationToken) is > 0 and var count ? count : throw Unreadable("it is shorter than it was", null);
        }
        catch (IOException e)
        {
            throw Unreadable(e.Message, e);
        }
    }

    private ConversionException Unreadable(string why, Exception? e) => new($"cannot read '{path}': {why}", e);
}
