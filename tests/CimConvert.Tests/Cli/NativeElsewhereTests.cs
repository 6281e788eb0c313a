using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>What only Windows has, asked for on another system.</summary>
[Platform(Exclude = "Win")]
[Category(Categories.Process)]
public class NativeElsewhereTests
{
    [Test]
    public async Task The_native_back_end_is_refused_and_auto_is_the_managed_one()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);

        var native = await CimConvertProgram.RunAsync("import", tar, "--block", folder["out.bcim"], "--backend", "native");
        Assert.That(
            (native.ExitCode, native.Error),
            Is.EqualTo((1, "error: the native back end cannot be used: only Windows has it, and this is not Windows\n")));
        Assert.That(File.Exists(folder["out.bcim"]), Is.False);

        var auto = await CimConvertProgram.JsonAsync("import", tar, "--block", folder["out.bcim"]);
        Assert.That(auto.GetProperty("backend").GetString(), Is.EqualTo("managed"));
    }

    [TestCase("mount")]
    [TestCase("dismount")]
    public async Task Nothing_is_mounted_here(string command)
    {
        var result = await CimConvertProgram.RunAsync(command, "layer.bcim");
        Assert.That(
            (result.ExitCode, result.Error),
            Is.EqualTo((1, "error: CIMs cannot be mounted here: only Windows mounts CIMs, and this is not Windows\n")));
    }
}
