using System.Globalization;
using System.Runtime.InteropServices;

namespace CimConvert.Benchmarks.Macro;

/// <summary>
/// Where the figures are from: the machine, the load average of the last minute when the run began, near 0 on a quiet machine, and
/// the versions of the programs that are compared with.
/// </summary>
internal sealed record Machine(
    string Processor, int Cores, double MemoryGibibytes, string Kernel, string System, string Runtime, string FileSystem, double LoadBefore, IReadOnlyList<string> Programs)
{
    private static readonly string[] s_versions =
    [
        "gzip --version", "igzip --version", "zstd --version", "sqfstar -version", "tar2sqfs --version", "docker-registry --version",
    ];

    public static async Task<Machine> DescribeAsync(string scratch)
    {
        var programs = new List<string>();
        foreach (var version in s_versions)
        {
            programs.Add((await Commands.RunAsync($"{version} 2>&1 | head -1", environment: null)).Trim());
        }

        return new Machine(
            Field("/proc/cpuinfo", "model name"),
            Environment.ProcessorCount,
            long.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / 1048576.0,
            File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            (await Commands.RunAsync($"stat -f -c %T {Commands.Quote(scratch)}", environment: null)).Trim(),
            double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture),
            programs);
    }

    private static string Field(string file, string name)
    {
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
