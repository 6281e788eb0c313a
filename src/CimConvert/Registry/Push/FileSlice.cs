using System.Buffers;
using System.Net;

namespace CimConvert.Registry.Push;

/// <summary>A slice of a file as a request body. Each send reads it from the file, so that a request can be repeated after a 401.</summary>
/// <param name="path">The file.</param>
/// <param name="start">Offset of the slice.</param>
/// <param name="length">Length of the slice.</param>
/// <param name="sent">Called after each write with its bytes and the bytes left.</param>
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

    /// <summary>Gives disk errors another type than connection errors, which are also <see cref="IOException"/>s but transient.</summary>
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
