using NUnit.Framework;

namespace CimConvert.TestKit;

/// <summary>
/// Equality of files, read side by side in pieces: layers do not fit in memory. (NUnit has the shorter name.)
/// </summary>
public static class FileContentAssert
{
    private const int PieceLength = 1 << 20;

    // Bytes kept around a difference, so that the report has context when it falls on a piece's first byte.
    private const int ContextLength = 64;

    public static void Equal(string expectedPath, string actualPath)
    {
        using FileStream expected = File.OpenRead(expectedPath);
        using FileStream actual = File.OpenRead(actualPath);
        byte[] left = new byte[PieceLength];
        byte[] right = new byte[PieceLength];
        long offset = 0;
        while (true)
        {
            int leftRead = expected.ReadAtLeast(left, left.Length, throwOnEndOfStream: false);
            int rightRead = actual.ReadAtLeast(right, right.Length, throwOnEndOfStream: false);
            int common = left.AsSpan(0, leftRead).CommonPrefixLength(right.AsSpan(0, rightRead));
            if (common < Math.Max(leftRead, rightRead))
            {
                Report(expected, actual, offset + common);
            }

            if (leftRead == 0)
            {
                return;
            }

            offset += leftRead;
        }
    }

    private static void Report(FileStream expected, FileStream actual, long at)
    {
        long from = Math.Max(0, at - ContextLength) / 16 * 16;
        byte[] left = Around(expected, from);
        byte[] right = Around(actual, from);
        string what = $"{expected.Name} and {actual.Name}";
        Assert.Fail(ByteAssert.Describe(left, right, (int)(at - from), from, expected.Length, actual.Length, what));
    }

    private static byte[] Around(FileStream file, long from)
    {
        byte[] bytes = new byte[3 * ContextLength];
        file.Position = Math.Min(from, file.Length);
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
