using BenchmarkDotNet.Running;
using CimConvert.Benchmarks;
using CimConvert.Benchmarks.Macro;

// inflate and hash: one stage of the pipeline alone, in a process of its own, to be timed from outside.
return args switch
{
    ["inflate", var file] => StageAlone.Inflate(file),
    ["hash", var file] => StageAlone.Hash(file),
    ["macro", .. var options] => MacroOptions.Parse(options) is { } parsed ? await MacroRun.RunAsync(parsed) : MacroOptions.ShowUsage(),
    _ => BenchmarkSwitcher.FromAssembly(typeof(StageAlone).Assembly).Run(args).Any() ? 0 : 1,
};
