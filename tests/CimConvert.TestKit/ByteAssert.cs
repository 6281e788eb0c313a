using System.Globalization;
using System.Text;
using NUnit.Framework;

namespace CimConvert.TestKit;

/// <summary>Equality of bytes that says where the first difference is, not only that there is one.</summary>
public static class ByteAssert
{
    private const int BytesPerRow = 16;

    public static void Equal(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string? what = null)
    {
        int common = expected.CommonPrefixLength(actual);
        if (common == expected.Length && common == actual.Length)
        {
            return;
        }

        Assert.Fail(Describe(expected, actual, common, baseOffset: 0, expected.Length, actual.Length, what));
    }

    internal static string Describe(
        ReadOnlySpan<byte> expected,
        ReadOnlySpan<byte> actual,
        int at,
        long baseOffset,
        long expectedLength,
        long actualLength,
        string? what)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{what ?? "bytes"} differ first at offset {baseOffset + at} (0x{baseOffset + at:x})");
        text.AppendLine(CultureInfo.InvariantCulture, $"; lengths: expected {expectedLength}, actual {actualLength}");
        // One row before the difference tells which structure it is in, two after what was written instead.
        int from = Math.Max(0, (at / BytesPerRow * BytesPerRow) - BytesPerRow);
        AppendRows(text, "expected", expected, from, baseOffset);
        AppendRows(text, "actual", actual, from, baseOffset);
        return text.ToString();
    }

    private static void AppendRows(StringBuilder text, string title, ReadOnlySpan<byte> bytes, int from, long baseOffset)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"{title}:");
        int end = Math.Min(bytes.Length, from + (4 * BytesPerRow));
        if (from >= end)
        {
            text.AppendLine("  (ends here)");
        }

        for (int row = from; row < end; row += BytesPerRow)
        {
            ReadOnlySpan<byte> slice = bytes[row..Math.Min(end, row + BytesPerRow)];
            text.Append(CultureInfo.InvariantCulture, $"  {baseOffset + row:x8} ");
            StringBuilder printable = new();
            foreach (byte value in slice)
            {
                text.Append(CultureInfo.InvariantCulture, $" {value:x2}");
                printable.Append(value is >= 0x20 and < 0x7f ? (char)value : '.');
            }

            text.Append(' ', ((BytesPerRow - slice.Length) * 3) + 2).Append(printable).AppendLine();
        }
    }
}
