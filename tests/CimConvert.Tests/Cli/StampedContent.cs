using System.Buffers.Binary;
using CimConvert.TestKit;

namespace CimConvert.Tests.Cli;

/// <summary>
/// Bytes of which no page is like another, faster than computing each: one seeded block over and over, stamped with the seed
/// and the place. For gigabytes; elsewhere <see cref="SeededContent"/> is the better choice.
/// </summary>
internal sealed class StampedContent(int seed, long length) : Stream
{
    private const int BlockSize = 4096;

    private static readonly byte[] s_block = SeededContent.Bytes(1, BlockSize);

    private readonly byte[] _stamped = [.. s_block];
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var done = 0;
        while (done < buffer.Length && _position < length)
        {
            var (block, within) = Math.DivRem(_position, BlockSize);
            BinaryPrimitives.WriteInt64LittleEndian(_stamped, (block << 32) | (uint)seed);
            var count = (int)Math.Min(Math.Min(BlockSize - within, buffer.Length - done), length - _position);
            _stamped.AsSpan((int)within, count).CopyTo(buffer[done..]);
            done += count;
            _position += count;
        }

        return done;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
