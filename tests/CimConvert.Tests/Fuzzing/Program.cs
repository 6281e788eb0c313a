using System.Globalization;
using CimConvert.TestKit.Fuzzing;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// The test assembly started as a program is the long fuzz run (tests are started by their runner, which loads it):
/// <c>run SECONDS CORES SEED FOLDER [HARNESS]...</c>, <c>replay HARNESS FILE</c>, and what the run starts itself, <c>worker</c>.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["run", var seconds, var cores, var seed, var folder, .. var names]:
                var run = new FuzzRun(Path.GetFullPath(folder), names.Length > 0 ? names : FuzzHarnesses.Names, Console.Out);
                return await run.RunAsync(Number(seed), Number(cores), TimeSpan.FromSeconds(Number(seconds))) ? 0 : 1;
            case ["worker", var folder, var seed, var seconds, .. var names]:
                new FuzzWorker(Number(seed), folder).Run(names, TimeSpan.FromSeconds(Number(seconds)));
                return 0;
            case ["replay", var name, var file]:
                var harness = FuzzHarnesses.Make(name);
                harness.MakeSeeds();
                await Console.Out.WriteLineAsync(harness.Run(FuzzInput.Decode(await File.ReadAllBytesAsync(file))));
                return 0;
            default:
                await Console.Error.WriteLineAsync("usage: run SECONDS CORES SEED FOLDER [HARNESS]... | replay HARNESS FILE");
                return 2;
        }
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
