using System.Buffers;
using CimConvert.Formats.Binary;

namespace CimConvert.Storage;

/// <summary>Whether two files, or parts of them, have the same bytes.</summary>
internal static class FileComparison
{
    private const int BufferSize = 256 * 1024;

    public static bool AreEqual(string first, string second, CancellationToken cancellationToken = default)
    {
        using var left = new FileRandomReader(first);
        using var right = new FileRandomReader(second);
        return AreEqual(left, right, cancellationToken);
    }

    public static bool AreEqual(IRandomReader first, IRandomReader second, CancellationToken cancellationToken)
    {
        if (first.Length != second.Length)
        {
            return false;
        }

        var at = 0L;
        return AreEqual(
            (left, right) =>
            {
                var count = (int)Math.Min(left.Length, first.Length - at);
                first.ReadAt(at, left[..count].Span);
                second.ReadAt(at, right[..count].Span);
                at += count;
                return (count, count);
            },
            cancellationToken);
    }

    public static bool AreEqual(Stream first, Stream second, CancellationToken cancellationToken = default) => AreEqual(
        (left, right) => (
            first.ReadAtLeast(left.Span, left.Length, throwOnEndOfStream: false),
            second.ReadAtLeast(right.Span, right.Length, throwOnEndOfStream: false)),
        cancellationToken);

    /// <param name="read">Fills both buffers, as far as there is content, and returns how many bytes of each.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    private static bool AreEqual(Func<Memory<byte>, Memory<byte>, (int Left, int Right)> read, CancellationToken cancellationToken)
    {
        var left = ArrayPool<byte>.Shared.Rent(BufferSize);
        var right = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (leftCount, rightCount) = read(left.AsMemory(0, BufferSize), right.AsMemory(0, BufferSize));
                if (!left.AsSpan(0, leftCount).SequenceEqual(right.AsSpan(0, rightCount)))
                {
                    return false;
                }

                if (leftCount == 0)
                {
                    return true;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(left);
            ArrayPool<byte>.Shared.Return(right);
        }
    }
}
