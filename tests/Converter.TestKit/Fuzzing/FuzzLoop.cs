using System.Text.RegularExpressions;

namespace Converter.TestKit.Fuzzing;

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
    private readonly List<byte[][]> inputs;
    private readonly HashSet<string> outcomes = new(StringComparer.Ordinal);

    public FuzzLoop(FuzzHarness harness, int seed)
    {
        this.harness = harness;
        random = new Random(seed);
        mutator = new Mutator(random, harness.Tokens, harness.MaxLength);
        seeds = harness.MakeSeeds();
        inputs = [.. seeds];
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
        try
        {
            outcome = harness.Run([.. input.Select(part => part.ToArray())]);
        }
        catch (Exception error) when (harness.IsRefusal(error))
        {
            Refused++;
            outcome = Kind(error);
        }
        catch (Exception error)
        {
            return error;
        }

        if (outcomes.Count < MostOutcomes && outcomes.Add(outcome))
        {
            Keep(input);
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
        byte[][] input = [.. inputs[random.Next(inputs.Count)]];
        byte[][] other = inputs[random.Next(inputs.Count)];
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

    private void Keep(byte[][] input)
    {
        if (inputs.Count < MostInputs)
        {
            inputs.Add(input);
        }
        else
        {
            inputs[seeds.Count + random.Next(inputs.Count - seeds.Count)] = input;
        }
    }

    /// <summary>Quoted names, numbers, and what is neither a letter nor punctuation of ours.</summary>
    [GeneratedRegex("""'[^']*'|"[^"]*"|[0-9a-f]*[0-9][0-9a-f]*|[^\x20-\x7e]+""", RegexOptions.None, matchTimeoutMilliseconds: 2000)]
    private static partial Regex Varying();
}
