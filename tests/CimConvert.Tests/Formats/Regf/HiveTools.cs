using System.Diagnostics;
using System.Text;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Debian's hivex tools: they read and write hives with no code of ours. A test that needs them is ignored without.</summary>
internal sealed class HiveTools : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cimconvert-hive-");

    /// <summary>What <c>hivexregedit --export</c> says of the hive.</summary>
    public byte[] Export(byte[] hive, string key = @"\")
    {
        var file = Save(hive);
        return Run("hivexregedit", "--export", file, key);
    }

    /// <summary>Lets <c>hivexsh</c> change the hive; returns what it wrote.</summary>
    public byte[] Edit(byte[] hive, IEnumerable<string> commands)
    {
        var (input, script, output) = (Save(hive), PathOf("script"), PathOf("output"));
        File.WriteAllLines(script, [.. commands, $"commit {output}"], new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        Run("hivexsh", "-w", "-f", script, input);
        return File.ReadAllBytes(output);
    }

    /// <summary>Lets <c>hivexregedit</c> put <c>.reg</c> text into the hive: hivexsh takes no long lines.</summary>
    public byte[] Merge(byte[] hive, string text)
    {
        var (file, script) = (Save(hive), PathOf("script"));
        File.WriteAllText(script, text);
        Run("hivexregedit", "--merge", file, script);
        return File.ReadAllBytes(file);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Save(byte[] hive)
    {
        var path = PathOf("hive");
        File.WriteAllBytes(path, hive);
        return path;
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static byte[] Run(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(Tools.Require(tool), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            Assert.Fail($"{tool} did not end");
        }

        Assert.That(process.ExitCode, Is.Zero, $"{tool}: {errors.GetAwaiter().GetResult()}");
        return output.ToArray();
    }
}
