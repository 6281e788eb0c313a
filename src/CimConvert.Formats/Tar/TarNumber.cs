using System.Globalization;

namespace CimConvert.Formats.Tar;

/// <summary>Parses numbers of tar headers: octal text, or GNU's base-256 for numbers with too many octal digits.</summary>
internal static class TarNumber
{
    private const byte Base256Flag = 0x80;
    private const byte Base256Sign = 0x40;

    /// <summary>Parses a header's number field. An empty field is 0, as in other readers.</summary>
    public static bool TryRead(ReadOnlySpan<byte> field, out long value) =>
        !field.IsEmpty && (field[0] & Base256Flag) != 0 ? TryReadBase256(field, out value) : TryReadOctal(field, out value);

    /// <summary>Parses a decimal without sign or padding, as PAX records have it.</summary>
    public static bool TryReadDecimal(ReadOnlySpan<byte> text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static bool TryReadOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        // Writers pad with spaces, NULs or both, on either side.
        foreach (var digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    /// <summary>Two's complement, big-endian, after the flag bit (GNU tar's manual, "Extensions to the Archive Format").</summary>
    private static bool TryReadBase256(ReadOnlySpan<byte> field, out long value)
    {
        var negative = (field[0] & Base256Sign) != 0;
        value = negative ? -1L : 0L;
        for (var i = 0; i < field.Length; i++)
        {
            if (value is > long.MaxValue >> 8 or < long.MinValue >> 8)
            {
                return false;
            }

            // The flag bit is not part of the number, so it is replaced by the sign.
            var part = i > 0 ? field[i] : negative ? field[i] | Base256Flag : field[i] & ~Base256Flag;
            value = (value << 8) | (uint)part;
        }

        return true;
    }
}
