using CimConvert.Interop;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>The command: how it starts, and how it ends.</summary>
public class DifferTests
{
    [Test]
    [Category(Categories.Process)]
    [Platform(Exclude = "Win", Reason = "signals, and a Unix socket")]
    public async Task It_ends_with_0_when_it_is_told_to_and_takes_its_socket_along([Values] bool isInterrupt)
    {
        using TempFolder folder = new();
        await using var differ = CimConvertProgram.Start("differ", "--listen", folder["d.sock"], "--allow-unmounted-format");
        while (!differ.Error.ToString().Contains("listening on", StringComparison.Ordinal) && !differ.HasExited)
        {
            await Task.Delay(20);
        }

        Assert.That(File.Exists(folder["d.sock"]), differ.Error.ToString());
        await CimConvertProgram.FailAsync(1, "differ", "--listen", folder["d.sock"], "--allow-unmounted-format");
        await (isInterrupt ? differ.InterruptAsync() : differ.TerminateAsync());
        var result = await differ.WaitAsync(CimConvertProgram.Patience);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Match(@"\Ainfo: listening on [^\n]+\n\z"));
        Assert.That(File.Exists(folder["d.sock"]), Is.False);
    }

    [Test]
    [Category(Categories.Process)]
    [Platform(Exclude = "Win", Reason = "the managed back end is for other systems")]
    public async Task What_cannot_serve_ends_at_once_with_one_line()
    {
        using TempFolder folder = new();
        Assert.That(await CimConvertProgram.FailAsync(1, "differ", "--listen", folder["d.sock"]), Does.Contain("--allow-unmounted-format"));
        Assert.That(await CimConvertProgram.FailAsync(1, "differ", "--listen", "npipe:////./pipe/d", "--allow-unmounted-format"), Does.Contain("only Windows has"));
        Assert.That(await CimConvertProgram.FailAsync(1, "differ", "install", "--listen", folder["d.sock"]), Does.Contain("systemd"));
        Assert.That(await CimConvertProgram.FailAsync(1, "differ", "uninstall"), Does.Contain("systemd"));
        Assert.That(await CimConvertProgram.FailAsync(2, "differ"), Does.Contain("--listen"));
    }

    [TestCase("plain", "plain")]
    [TestCase("", "\"\"")]
    [TestCase(@"C:\Program Files\x\", @"""C:\Program Files\x\\""")]
    [TestCase("a\"b", "\"a\\\"b\"")]
    [TestCase(@"a \""b", @"""a \\\""b""")]
    public void Arguments_of_a_service_are_quoted_as_Windows_reads_them(string argument, string quoted) =>
        Assert.That(WindowsServices.Quote(argument), Is.EqualTo(quoted));
}
