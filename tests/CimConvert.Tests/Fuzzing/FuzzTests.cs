using CimConvert.TestKit.Fuzzing;
using NUnit.Framework;

namespace CimConvert.Tests.Fuzzing;

/// <summary>A short run of every harness, the same each time; <c>tests/fuzz.sh</c> makes long ones.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
internal sealed class FuzzTests
{
    private const int Seed = 1;

    /// <summary>Inputs of each harness: some are a thousand times slower than others.</summary>
    private const int Rounds = 400;

    [TestCaseSource(typeof(FuzzHarnesses), nameof(FuzzHarnesses.Names))]
    public void Changed_inputs_are_taken_or_refused(string name)
    {
        var harness = FuzzHarnesses.Make(name);
        using var owned = harness as IDisposable;
        var loop = new FuzzLoop(harness, Seed);
        for (var i = 0; i < Rounds; i++)
        {
            if (loop.Run(loop.Next()) is { } error)
            {
                Assert.Fail($"{name}, seed {Seed}, input {i}: {error}");
            }
        }

        Assert.That(loop.Outcomes, Is.GreaterThan(3), "a harness that comes to the same end whatever it is given shows nothing");
    }

    [TestCaseSource(typeof(FuzzHarnesses), nameof(FuzzHarnesses.Names))]
    public void Sound_inputs_are_taken(string name)
    {
        var harness = FuzzHarnesses.Make(name);
        using var owned = harness as IDisposable;
        Assert.That(harness.Name, Is.EqualTo(name));
        var seeds = harness.MakeSeeds();
        var refusals = new List<string>();
        foreach (var seed in seeds)
        {
            try
            {
                harness.Run(seed);
            }
            catch (Exception e) when (harness.IsRefusal(e))
            {
                refusals.Add(e.Message);
            }
        }

        Assert.That(refusals, Has.Count.LessThanOrEqualTo(seeds.Count / 2), $"of the seeds at least half are sound, and the others nearly so: {string.Join(" | ", refusals)}");
    }
}
