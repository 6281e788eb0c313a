using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CimConvert.Prewarming;

/// <summary>
/// One machine's part of a list that several machines share. An image's part depends on its name alone, so adding or removing images
/// moves no other image to another machine.
/// </summary>
/// <param name="Index">From 0, like the completion index of a pod in a Kubernetes Indexed Job.</param>
/// <param name="Count">How many parts there are.</param>
internal sealed record Shard(int Index, int Count)
{
    private const int MaxCount = 10_000;

    /// <exception cref="InvalidDataException">The text does not have the form <c>I/N</c>, with I below N.</exception>
    public static Shard Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0
            && int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && index < count && count <= MaxCount)
        {
            return new Shard(index, count);
        }

        throw new InvalidDataException($"'{Printable.Of(text)}' is no part of a list: write I/N, with I from 0 to N-1 and N up to {MaxCount}");
    }

    /// <summary>Whether the image with this name is in this part.</summary>
    public bool Has(string image)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(image));
        return BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)Count == (ulong)Index;
    }
}
