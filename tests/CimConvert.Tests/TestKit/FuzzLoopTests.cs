using CimConvert.TestKit.Fuzzing;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>The fuzzer finds a known defect, and finds it again from the same seed.</summary>
public class FuzzLoopTests
{
    private const int Rounds = 20_000;

    [Test]
    public void The_same_seed_makes_the_same_inputs([Values(1, 2)] int seed)
    {
        var again = Inputs(seed);
        Assert.That(Inputs(seed), Is.EqualTo(again).And.Not.EqualTo(Inputs(seed + 10)));
    }

    [Test]
    public void A_defect_behind_two_steps_is_found()
    {
        var loop = new FuzzLoop(new Steps(), 1);
        Exception? found = null;
        for (var i = 0; i < Rounds && found is null; i++)
        {
            found = loop.Run(loop.Next());
        }

        Assert.That(found, Is.TypeOf<InvalidOperationException>());
        Assert.That((loop.Refused > 0, loop.Outcomes), Is.EqualTo((true, 3)));
    }

    [Test]
    public void An_input_survives_its_file()
    {
        byte[][] parts = [[1, 2, 3], [], [4]];
        Assert.That(FuzzInput.Decode(FuzzInput.Encode(parts)), Is.EqualTo(parts));
    }

    [Test]
    public void Kinds_of_errors_leave_out_what_differs() => Assert.That(
        FuzzLoop.Kind(new InvalidDataException("'a' at 12 is no b")), Is.EqualTo(FuzzLoop.Kind(new InvalidDataException("'other' at 3 is no b"))));

    private static string[] Inputs(int seed)
    {
        var loop = new FuzzLoop(new Steps(), seed);
        return [.. Enumerable.Range(0, 200).Select(_ =>
        {
            var input = loop.Next();
            loop.Run(input);
            return Convert.ToHexString(input[0]);
        })];
    }

    /// <summary>Fails where a token comes twice, at the beginning and right behind that; each step is an outcome of its own.</summary>
    private sealed class Steps : FuzzHarness
    {
        public override string Name => "steps";

        public override IReadOnlyList<byte[]> Tokens { get; } = Words("step");

        public override IReadOnlyList<byte[][]> MakeSeeds() => [["nothing here"u8.ToArray()]];

        public override bool IsRefusal(Exception error) => error is InvalidDataException;

        public override string Run(byte[][] parts) => parts[0].AsSpan().StartsWith("stepstep"u8) ? throw new InvalidOperationException("found")
            : parts[0].AsSpan().StartsWith("step"u8) ? "one step"
            : parts[0].Length % 2 == 0 ? "none"
            : throw new InvalidDataException("odd");
    }
}
