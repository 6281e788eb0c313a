using System.Buffers;
using CimConvert.Formats.Binary;

namespace CimConvert.Compression;

/// <summary>
/// Decompresses zstd frames, one after another (RFC 8878); skippable frames are skipped. The stream has to end with a frame:
/// truncated data, and anything else behind the last frame, is an error. Does not own the compressed stream.
/// </summary>
/// <param name="compressed">Read synchronously, from its current position.</param>
/// <param name="decoder">New; disposed with this stream.</param>
internal sealed class ZstdStream(Stream compressed, ZstdDecoder decoder) : ForwardStream
{
    /// <summary>The largest compressed block (RFC 8878, 3.1.1.2.4).</summary>
    private const int InputSize = 128 * 1024;

    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(InputSize);
    private int _start;
    private int _end;
    private long _consumed;
    private bool _betweenFrames;
    private bool _disposed;

    /// <exception cref="InvalidDataException">The data is damaged, truncated, or not zstd.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!buffer.IsEmpty)
        {
            // Also without new input: the decoder may still hold output that did not fit before.
            var written = Decompress(buffer);
            if (written > 0)
            {
                return written;
            }

            if (_start == _end && !Fill())
            {
                return _betweenFrames && _consumed > 0 ? 0 : throw new InvalidDataException($"it ends after {_consumed} bytes, within a frame");
            }
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            decoder.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
        }

        base.Dispose(disposing);
    }

    private int Decompress(Span<byte> buffer)
    {
        // Between frames the decoder holds no output, and takes any call for the start of another frame.
        if (_betweenFrames && _start == _end)
        {
            return 0;
        }

        try
        {
            _betweenFrames = decoder.Decompress(_input.AsSpan(_start, _end - _start), buffer, out var read, out var written);
            _start += read;
            _consumed += read;
            return written;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message} at or after byte {_consumed}", e);
        }
    }

    private bool Fill()
    {
        (_start, _end) = (0, compressed.Read(_input));
        return _end > 0;
    }
}
