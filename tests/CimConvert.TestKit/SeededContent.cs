using System.Buffers.Binary;

namespace CimConvert.TestKit;

/// <summary>
/// Content that looks random, is the same for the same seed on every machine, and needs no memory: byte n depends on
/// n and the seed alone (SplitMix64), so a file of any size is a stream that computes itself.
/// </summary>
public static class SeededContent
{
    internal const ulong GoldenGamma = 0x9e3779b97f4a7c15;

    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        Fill(seed, 0, bytes);
        return bytes;
    }

    public static Stream Stream(int seed, long length) => new SeededStream(seed, length);

    internal static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
            value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
            return value ^ (value >> 31);
        }
    }

    private static void Fill(int seed, long position, Span<byte> target)
    {
        Span<byte> word = stackalloc byte[8];
        ulong start = Mix((ulong)(uint)seed + 1);
        int done = 0;
        while (done < target.Length)
        {
            long at = position + done;
            ulong value = Mix(unchecked(start + ((ulong)(at / 8) * GoldenGamma)));
            BinaryPrimitives.WriteUInt64LittleEndian(word, value);
            int within = (int)(at % 8);
            int count = Math.Min(8 - within, target.Length - done);
            word.Slice(within, count).CopyTo(target[done..]);
            done += count;
        }
    }

    private sealed class SeededStream(int seed, long length) : Stream
    {
        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = (int)Math.Min(buffer.Length, length - position);
            Fill(seed, position, buffer[..count]);
            position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
