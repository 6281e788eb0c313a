namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Blocks that no compressor would write, and what they decode to.</summary>
internal static class RandomBlocks
{
    /// <summary>A block of any type: literals, and matches as far back as there is something.</summary>
    public static void Add(DeflateWriter writer, Choices choices, List<byte> content, int seed, bool last)
    {
        switch (choices.Next(5))
        {
            case 0:
                byte[] stored = GzipFiles.Compressible(seed, choices.Next(20_000));
                writer.Stored(stored, last);
                content.AddRange(stored);
                return;
            case 1:
                writer.Fixed(last);
                break;
            default:
                var depth = 9 + choices.Next(7);
                writer.Dynamic(RandomCode.Lengths(seed + 1, 286, 286, depth), RandomCode.Lengths(seed, 30, 30, depth), last);
                break;
        }

        for (var symbols = choices.Next(1500); symbols > 0; symbols--)
        {
            if (content.Count == 0 || choices.Next(3) > 0)
            {
                var literal = (byte)choices.Next(256);
                writer.Symbol(literal);
                content.Add(literal);
            }
            else
            {
                var farthest = Math.Min(content.Count, choices.Next(2) == 0 ? 20 : 32_768);
                var (length, distance) = (choices.Next(20) == 0 ? 258 : 3 + choices.Next(255), 1 + choices.Next(farthest));
                writer.Match(length, distance);
                AddMatch(content, length, distance);
            }
        }

        writer.End();
    }

    public static void AddMatch(List<byte> content, int length, int distance)
    {
        for (var i = 0; i < length; i++)
        {
            content.Add(content[^distance]);
        }
    }
}
