using System.Buffers;
using CimConvert.Formats.Binary;
using CimConvert.Interop;

namespace CimConvert.Compression;

/// <summary>
/// What zstd frames, one after another, hold (RFC 8878); skippable frames hold nothing. Ends only where the last frame does:
/// data cut short, or anything else behind the last frame, is an error. Does not own the stream below.
/// </summary>
internal sealed class ZstdStream(Stream compressed) : ForwardStream
{
    /// <summary>A compressed block has at most 128 KiB (RFC 8878, 3.1.1.2.4).</summary>
    private const int InputSize = 128 * 1024;

    private readonly ZstdHandle _decoder = Zstd.CreateDecoder();
    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(InputSize);
    private int _start;
    private int _end;
    private long _consumed;
    private bool _betweenFrames;

    /// <exception cref="InvalidDataException">The data is damaged, cut short, or no zstd.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            // Without new input, too: what a full output left inside the decoder has to come out first.
            var made = Decompress(buffer);
            if (made > 0)
            {
                return made;
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
        if (disposing && !_decoder.IsClosed)
        {
            _decoder.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
        }

        base.Dispose(disposing);
    }

    private int Decompress(Span<byte> buffer)
    {
        // Between frames the decoder has nothing left, and would take a call for the start of another frame.
        if (_betweenFrames && _start == _end)
        {
            return 0;
        }

        try
        {
            _betweenFrames = Zstd.Decompress(_decoder, _input.AsSpan(_start, _end - _start), buffer, out var used, out var made);
            _start += used;
            _consumed += used;
            return made;
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
