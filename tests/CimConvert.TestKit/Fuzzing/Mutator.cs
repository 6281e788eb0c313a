using System.Buffers.Binary;
using System.Globalization;

namespace CimConvert.TestKit.Fuzzing;

/// <summary>Changes bytes a little or a lot, the same way for the same random numbers. Knows nothing of formats but the words it is given.</summary>
/// <param name="random">Seeded by the caller.</param>
/// <param name="tokens">The format's words, to be put anywhere.</param>
/// <param name="maxLength">Bytes that no result exceeds.</param>
/// <param name="keepPlaces">Whether bytes are mostly to stay where they are.</param>
public sealed class Mutator(Random random, IReadOnlyList<byte[]> tokens, int maxLength, bool keepPlaces)
{
    private const int MostChanges = 6;
    private const int LongestRun = 600;
    private const int ChangesInPlace = 9;
    private const int Changes = 15;

    private static readonly ulong[] edges =
    [
        0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x1ff, 0x200, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000,
        0xffff_fff8, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_f000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_f000, ulong.MaxValue,
    ];

    /// <summary>A changed copy; often in one place, now and then in several.</summary>
    /// <param name="input">What to change.</param>
    /// <param name="other">Another input of the kind, to take pieces from.</param>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        List<byte> bytes = [.. input];
        int changes = random.Next(2) == 0 ? 1 : 1 + random.Next(MostChanges);
        for (int i = 0; i < changes; i++)
        {
            Change(bytes, other);
        }

        if (bytes.Count > maxLength)
        {
            bytes.RemoveRange(maxLength, bytes.Count - maxLength);
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(Run(other));
            return;
        }

        int at = random.Next(bytes.Count);
        switch (random.Next(keepPlaces && random.Next(8) > 0 ? ChangesInPlace : Changes))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes[at] = unchecked((byte)(bytes[at] + (random.Next(2) == 0 ? 1 : -1)));
                break;
            case 3 or 4:
                PutNumber(bytes, at);
                break;
            case 5:
                MoveWord(bytes, at);
                break;
            case 6:
                Overwrite(bytes, random.Next(bytes.Count), [.. bytes.GetRange(at, RunLength(bytes.Count - at))]);
                break;
            case 7:
                Overwrite(bytes, at, Run(other));
                break;
            case 8 when tokens.Count > 0:
                Overwrite(bytes, at, tokens[random.Next(tokens.Count)]);
                break;
            case ChangesInPlace:
                bytes.RemoveRange(at, RunLength(bytes.Count - at));
                break;
            case 10:
                bytes.InsertRange(at, bytes.GetRange(at, RunLength(bytes.Count - at)));
                break;
            case 11:
                bytes.InsertRange(at, Run(other));
                break;
            case 12:
                Splice(bytes, at, other);
                break;
            case 13 when tokens.Count > 0:
                bytes.InsertRange(at, tokens[random.Next(tokens.Count)]);
                break;
            case 14:
                PutDecimal(bytes, at);
                break;
            case 8:
                bytes[at] = 0;
                break;
            default:
                bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 1);
                break;
        }
    }

    /// <summary>A number that programs trip over, at an aligned place, in either order of bytes.</summary>
    private void PutNumber(List<byte> bytes, int at)
    {
        int width = 1 << random.Next(4);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        ulong value = random.Next(4) == 0 ? (ulong)random.Next(4096) : edges[random.Next(edges.Length)];
        if (random.Next(4) == 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(number, value);
            number = number[^width..];
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(number, value);
            number = number[..width];
        }

        Overwrite(bytes, at - (at % width), number.ToArray());
    }

    /// <summary>An aligned word over another: an offset or a count that is right, but not there.</summary>
    private void MoveWord(List<byte> bytes, int at)
    {
        int width = 1 << (1 + random.Next(3));
        int from = random.Next(bytes.Count);
        from -= from % width;
        Overwrite(bytes, at - (at % width), [.. bytes.GetRange(from, Math.Min(width, bytes.Count - from))]);
    }

    /// <summary>The same in text: a number in place of the digits there, or between other characters.</summary>
    private void PutDecimal(List<byte> bytes, int at)
    {
        int end = at;
        while (end < bytes.Count && bytes[end] is >= (byte)'0' and <= (byte)'9')
        {
            end++;
        }

        bytes.RemoveRange(at, end - at);
        ulong value = random.Next(3) == 0 ? (ulong)random.Next(4096) : edges[random.Next(edges.Length)];
        string sign = random.Next(8) == 0 ? "-" : "";
        bytes.InsertRange(at, System.Text.Encoding.ASCII.GetBytes(sign + value.ToString(CultureInfo.InvariantCulture)));
    }

    private void Splice(List<byte> bytes, int at, byte[] other)
    {
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(Math.Min(random.Next(2) == 0 ? at : random.Next(other.Length + 1), other.Length)));
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] with)
    {
        for (int i = 0; i < with.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = with[i];
        }
    }

    private byte[] Run(byte[] from)
    {
        int at = random.Next(from.Length + 1);
        return from.AsSpan(at, RunLength(from.Length - at)).ToArray();
    }

    private int RunLength(int limit) => Math.Min(limit, 1 + (random.Next(3) == 0 ? random.Next(LongestRun) : random.Next(16)));
}
