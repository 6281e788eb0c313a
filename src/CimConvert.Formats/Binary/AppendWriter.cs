using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CimConvert.Formats.Binary;

/// <summary>Rounds up to multiples of a power of two.</summary>
internal static class Align
{
    /// <summary>The smallest multiple of <paramref name="alignment"/>, a power of two, not below <paramref name="value"/>.</summary>
    public static long Up(long value, int alignment) => checked(value + alignment - 1) & -(long)alignment;
}

/// <summary>
/// Appends little-endian fields to a file through a buffer and keeps track of the position in the file. If a hash is given,
/// all bytes written are added to it. Call <see cref="Flush"/> at the end.
/// </summary>
internal sealed class AppendWriter(IAppendableFile file, IncrementalHash? hash = null)
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private long _flushed = file.Length;
    private int _used;

    public long Position => _flushed + _used;

    public void U8(byte value) => Reserve(1)[0] = value;

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(sizeof(ushort)), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(sizeof(uint)), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(sizeof(ulong)), value);

    public void I64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Reserve(sizeof(long)), value);

    public void Guid(Guid value) => value.TryWriteBytes(Reserve(16));

    public void Bytes(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_used == BufferSize)
            {
                Flush();
            }

            var count = Math.Min(data.Length, BufferSize - _used);
            data[..count].CopyTo(_buffer.AsSpan(_used));
            _used += count;
            data = data[count..];
        }
    }

    /// <summary>UTF-16LE without a length or a terminator.</summary>
    public void Utf16(ReadOnlySpan<char> text)
    {
        if (BitConverter.IsLittleEndian)
        {
            Bytes(MemoryMarshal.AsBytes(text));
            return;
        }

        foreach (var unit in text)
        {
            U16(unit);
        }
    }

    public void Zeros(int count)
    {
        for (var left = count; left > 0;)
        {
            var step = Math.Min(left, 256);
            Reserve(step).Clear();
            left -= step;
        }
    }

    /// <summary>Writes zeros up to the next multiple of <paramref name="alignment"/> in the file.</summary>
    public void AlignTo(int alignment) => Zeros((int)(Align.Up(Position, alignment) - Position));

    public void Flush()
    {
        var data = _buffer.AsSpan(0, _used);
        hash?.AppendData(data);
        file.Append(data);
        _flushed += _used;
        _used = 0;
    }

    private Span<byte> Reserve(int count)
    {
        if (BufferSize - _used < count)
        {
            Flush();
        }

        var span = _buffer.AsSpan(_used, count);
        _used += count;
        return span;
    }
}
