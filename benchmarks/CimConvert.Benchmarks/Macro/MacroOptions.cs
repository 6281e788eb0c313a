using System.Globalization;

namespace CimConvert.Benchmarks.Macro;

/// <summary>What <c>benchmarks/run.sh</c> is asked for.</summary>
internal sealed record MacroOptions
{
    private const string Usage = """
        usage: benchmarks/run.sh [--quick] [--large] [--rounds N] [--cases A,B,...] [--data DIR] [--scratch DIR] [--output DIR] [--results FILE]
          --quick         layers of 60 MB instead of 749 MB, two rounds
          --large         also layers of 100 MB, 1 GB and 4 GB, for memory (21 GB of disk)
          --rounds N      alternations of each case (5)
          --cases A,B     of gzip, zstd, layers, tar, merge, pull, start, memory, timeline; all by default
          --data DIR      where layers and images are kept, made once (benchmarks/data)
          --scratch DIR   where conversions write; emptied after each (scratch in the data folder)
          --output DIR    gets results.json, results.md and timeline-*.svg (results in the data folder)
          --results FILE  a Markdown page whose part between the 'measured' marks is replaced by the tables; pictures and JSON go beside it
        """;

    /// <summary>The program under test.</summary>
    public required string Program { get; init; }

    public required string Data { get; init; }

    public required string Scratch { get; init; }

    public required string Output { get; init; }

    public string? Results { get; init; }

    public int Rounds { get; init; }

    public bool IsQuick { get; init; }

    public bool IsLarge { get; init; }

    /// <summary>Null for all.</summary>
    public IReadOnlyList<string>? Cases { get; init; }

    public bool Wants(string name) => Cases?.Contains(name) ?? true;

    /// <returns>The exit code of wrong usage.</returns>
    public static int ShowUsage()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    /// <summary>Null where an option is unknown, or lacks its value; so is <c>--help</c>.</summary>
    public static MacroOptions? Parse(string[] args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i++)
        {
            var (name, isFlag) = (args[i], args[i] is "--quick" or "--large");
            if (!isFlag && (name is not ("--program" or "--rounds" or "--cases" or "--data" or "--scratch" or "--output" or "--results") || i + 1 == args.Length))
            {
                return null;
            }

            values[name] = isFlag ? string.Empty : args[++i];
        }

        var isQuick = values.ContainsKey("--quick");
        var data = Path.GetFullPath(values.GetValueOrDefault("--data", "data"));
        return new MacroOptions
        {
            Program = values["--program"],
            Data = data,
            Scratch = Path.GetFullPath(values.GetValueOrDefault("--scratch", Path.Combine(data, "scratch"))),
            Output = Path.GetFullPath(values.GetValueOrDefault("--output", Path.Combine(data, "results"))),
            Results = values.GetValueOrDefault("--results"),
            Rounds = int.Parse(values.GetValueOrDefault("--rounds", isQuick ? "2" : "5"), CultureInfo.InvariantCulture),
            IsQuick = isQuick,
            IsLarge = values.ContainsKey("--large"),
            Cases = values.TryGetValue("--cases", out var cases) ? cases.Split(',') : null,
        };
    }
}
