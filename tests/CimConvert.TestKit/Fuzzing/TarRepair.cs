using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Fuzzing;

/// <summary>Puts right what a tar says of itself, so that a change is not the end of it.</summary>
public static class TarRepair
{
    private const int BlockLength = 512;
    private const int ChecksumAt = 148;
    private const int ChecksumLength = 8;

    /// <summary>Makes the checksum right of every block that looks like a header: "ustar" where it has to be.</summary>
    public static void Checksums(Span<byte> tar)
    {
        for (; tar.Length >= BlockLength; tar = tar[BlockLength..])
        {
            if (tar[257..].StartsWith("ustar"u8))
            {
                Checksum(tar[..BlockLength]);
            }
        }
    }

    /// <summary>Makes the length right of every PAX record: <c>LENGTH KEY=VALUE</c> and a newline.</summary>
    public static byte[] RecordLengths(ReadOnlySpan<byte> records)
    {
        List<byte> repaired = [];
        while (!records.IsEmpty)
        {
            int end = records.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? records : records[..end];
            records = end < 0 ? default : records[(end + 1)..];
            int space = line.IndexOf((byte)' ');
            ReadOnlySpan<byte> body = space < 0 ? line : line[(space + 1)..];
            int rest = body.Length + 2; // the space, and the newline
            int total = rest + 1;
            while (total != rest + Digits(total).Length)
            {
                total = rest + Digits(total).Length;
            }

            repaired.AddRange(Digits(total));
            repaired.Add((byte)' ');
            repaired.AddRange(body);
            repaired.Add((byte)'\n');
        }

        return [.. repaired];
    }

    private static byte[] Digits(int number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    private static void Checksum(Span<byte> header)
    {
        Span<byte> field = header.Slice(ChecksumAt, ChecksumLength);
        field.Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", field);
    }
}
