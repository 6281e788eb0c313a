using System.Text.RegularExpressions;

namespace CimConvert.TestKit.Fuzzing;

/// <summary>
/// Feeds one harness changed inputs, the same for the same seed. Inputs that came to a new end (a message, numbers and names left
/// out, or the harness' own words) join those that are changed further: the nearest to coverage that is to be had here.
/// </summary>
public sealed partial class FuzzLoop
{
    private const int MostInputs = 600;
    private const int MostOutcomes = 4000;

    /// <summary>Of eight changed inputs, how many are left with whatever checksum they then have.</summary>
    private const int LeftBrokenOfEight = 1;

    private readonly FuzzHarness harness;
    private readonly Random random;
    private readonly Mutator mutator;
    private readonly IReadOnlyList<byte[][]> seeds;
    private readonly List<byte[][]> taken;
    private readonly List<byte[][]> refused = [];
    private readonly HashSet<string> outcomes = new(StringComparer.Ordinal);

    public FuzzLoop(FuzzHarness harness, int seed)
    {
        this.harness = harness;
        random = new Random(seed);
        mutator = new Mutator(random, harness.Tokens, harness.MaxLength, harness.HasOffsets);
        seeds = harness.MakeSeeds();
        taken = [.. seeds];
    }

    public FuzzHarness Harness => harness;

    /// <summary>Inputs run so far, the seeds first.</summary>
    public int Iterations { get; private set; }

    /// <summary>Of these, refused.</summary>
    public int Refused { get; private set; }

    public int Outcomes => outcomes.Count;

    /// <summary>Makes the next input. It is to be run before the one after it is made.</summary>
    public byte[][] Next()
    {
        int number = Iterations++;
        return number < seeds.Count ? seeds[number] : Mutate();
    }

    /// <summary>Runs an input; gives what is wrong with how it ended, or null.</summary>
    public Exception? Run(byte[][] input)
    {
        string outcome;
        List<byte[][]> kind = taken;
        try
        {
            outcome = harness.Run([.. input.Select(part => part.ToArray())]);
        }
        catch (Exception error) when (harness.IsRefusal(error))
        {
            Refused++;
            kind = refused;
            outcome = Kind(error);
        }
        catch (Exception error)
        {
            return error;
        }

        if (outcomes.Count < MostOutcomes && outcomes.Add(outcome))
        {
            Keep(kind, input);
        }

        return null;
    }

    /// <summary>An exception without what differs from input to input.</summary>
    public static string Kind(Exception error)
    {
        string message = Varying().Replace(error.Message, "#");
        return $"{error.GetType().Name}: {(message.Length > 200 ? message[..200] : message)}";
    }

    private byte[][] Mutate()
    {
        byte[][] input = [.. Choose()];
        byte[][] other = Choose();
        int part;
        do
        {
            part = random.Next(input.Length);
        }
        while (!harness.IsMutable(part));

        input[part] = mutator.Mutate(input[part], other[part]);
        if (random.Next(8) >= LeftBrokenOfEight)
        {
            harness.Repair(input);
        }

        return input;
    }

    /// <summary>Mostly what was taken, however many ways there are to be refused.</summary>
    private byte[][] Choose() => refused.Count == 0 || random.Next(3) > 0 ? taken[random.Next(taken.Count)] : refused[random.Next(refused.Count)];

    private void Keep(List<byte[][]> kind, byte[][] input)
    {
        if (kind.Count < MostInputs)
        {
            kind.Add(input);
        }
        else
        {
            kind[random.Next(kind.Count)] = input;
        }
    }

    /// <summary>All between quotes, numbers, and what is neither a letter nor punctuation of ours.</summary>
    [GeneratedRegex("""(?s)'.*'|".*"|[0-9a-f]*[0-9][0-9a-f]*|[^\x20-\x7e]+""", RegexOptions.None, matchTimeoutMilliseconds: 2000)]
    private static partial Regex Varying();
}
