namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Complete prefix codes of any shape, down to the longest codes.</summary>
internal static class RandomCode
{
    /// <param name="seed">The shape.</param>
    /// <param name="symbols">How many symbols there are.</param>
    /// <param name="used">How many of them get a code, at least two; symbol 256, where there is one, always.</param>
    /// <param name="longest">Bits of the longest code allowed.</param>
    public static byte[] Lengths(int seed, int symbols, int used, int longest)
    {
        var choices = new Choices(seed);
        List<byte> leaves = [1, 1];
        while (leaves.Count < used)
        {
            // Newer leaves are deeper: choosing among them makes long codes.
            var at = choices.Next(3) == 0 ? choices.Next(leaves.Count) : leaves.Count - 1 - choices.Next(2);
            if (leaves[at] < longest)
            {
                leaves[at]++;
                leaves.Add(leaves[at]);
            }
            else
            {
                var shortest = leaves.IndexOf(leaves.Min());
                (leaves[at], leaves[shortest]) = (leaves[shortest], leaves[at]);
            }
        }

        var lengths = new byte[symbols];
        List<int> left = [.. Enumerable.Range(0, symbols)];
        if (symbols > DeflateWriter.EndOfBlock)
        {
            left.Remove(DeflateWriter.EndOfBlock);
            left.Add(DeflateWriter.EndOfBlock);
        }

        foreach (var leaf in leaves)
        {
            var at = left[^1] == DeflateWriter.EndOfBlock && symbols > DeflateWriter.EndOfBlock ? left.Count - 1 : choices.Next(left.Count);
            lengths[left[at]] = leaf;
            left.RemoveAt(at);
        }

        return lengths;
    }
}
