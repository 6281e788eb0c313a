using System.IO.Hashing;

namespace CimConvert.Formats.Gzip;

/// <summary>Reads and checks a member's header (RFC 1952, 2.3). Nothing in it is needed.</summary>
internal sealed class MemberHeader(BitInput input)
{
    /// <summary>A limit of ours: the format has none, but file names are shorter on every system, and so are sensible comments.</summary>
    public const int MaxTextBytes = 64 * 1024;

    public const byte Magic1 = 0x1f;
    public const byte Magic2 = 0x8b;

    private const byte Deflate = 8;
    private const byte Reserved = 0x20;

    private readonly Crc32 _checksum = new();

    [Flags]
    private enum HeaderFlags : byte
    {
        Text = 1,
        HeaderChecksum = 2,
        Extra = 4,
        Name = 8,
        Comment = 16,
    }

    /// <param name="afterMember">Whether another member came before; only the error message differs.</param>
    public void Read(bool afterMember)
    {
        _checksum.Reset();
        var offset = input.Offset;
        if (Byte() != Magic1 || Byte() != Magic2)
        {
            throw new InvalidDataException(afterMember
                ? $"bytes that are no gzip follow the last member, at byte {offset}"
                : $"no gzip starts at byte {offset}");
        }

        if (Byte() is var method and not Deflate)
        {
            throw input.Bad($"the unknown compression method {method}");
        }

        var flags = (HeaderFlags)Byte();
        if ((byte)flags >= Reserved)
        {
            throw input.Bad($"reserved flags (0x{(byte)flags:x2})");
        }

        // Modification time, extra flags, operating system.
        Skip(4 + 1 + 1);
        if (flags.HasFlag(HeaderFlags.Extra))
        {
            Skip(Byte() | (Byte() << 8));
        }

        if (flags.HasFlag(HeaderFlags.Name))
        {
            SkipText("name");
        }

        if (flags.HasFlag(HeaderFlags.Comment))
        {
            SkipText("comment");
        }

        if (flags.HasFlag(HeaderFlags.HeaderChecksum))
        {
            CheckChecksum();
        }
    }

    private void CheckChecksum()
    {
        var expected = _checksum.GetCurrentHashAsUInt32() & 0xffff;
        if ((Byte() | (Byte() << 8)) is var checksum && checksum != expected)
        {
            throw input.Bad($"a header checksum of {checksum:x4} where the header has {expected:x4}");
        }
    }

    private void SkipText(string what)
    {
        for (var length = 0; Byte() != 0; length++)
        {
            if (length == MaxTextBytes)
            {
                throw input.Bad($"a {what} longer than {MaxTextBytes} bytes");
            }
        }
    }

    private void Skip(int count)
    {
        while (count > 0)
        {
            count -= Take(count).Length;
        }
    }

    private int Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        var bytes = input.TakeBytes(count);
        _checksum.Append(bytes);
        return bytes;
    }
}
