using CimConvert.Fitness;
using NUnit.Framework;

namespace CimConvert.Tests.Fitness;

/// <summary>The rules of single checks, on both sides of their bounds.</summary>
public class FitnessRuleTests
{
    [TestCase("cimfs", 17763, 9999, "Failed")]
    [TestCase("cimfs", 20348, 2030, "Failed")]
    [TestCase("cimfs", 20348, 2031, "Ok")]
    [TestCase("cimfs", 25398, 9999, "Failed")]
    [TestCase("cimfs", 26099, 9999, "Failed")]
    [TestCase("cimfs", 26100, 1, "Ok")]
    [TestCase("blockcim", 26200, 9999, "Failed")]
    [TestCase("blockcim", 27765, 1, "Failed")]
    [TestCase("blockcim", 27766, 1, "Ok")]
    public void A_snapshotter_needs_a_build(string snapshotter, int build, int revision, string status)
    {
        var check = WindowsChecks.OfBuild(snapshotter, build, revision);
        Assert.That(check.Status.ToString(), Is.EqualTo(status));
        Assert.That(check.Message, Does.StartWith($"this is Windows build {build}.{revision}"));
    }

    [TestCase(27799, "if it is not sealed")]
    [TestCase(27800, "sealed or not")]
    public void Sealed_CIMs_need_a_newer_one(int build, string message) =>
        Assert.That(WindowsChecks.OfBuild("blockcim", build, 1).Message, Does.Contain(message));

    [TestCase(DiskCheck.Comfortable, "Ok")]
    [TestCase(DiskCheck.Comfortable - 1, "Warning")]
    [TestCase(DiskCheck.Needed, "Warning")]
    [TestCase(DiskCheck.Needed - 1, "Failed")]
    [TestCase(0, "Failed")]
    public void A_disk_needs_space(long free, string status) => Assert.That(DiskCheck.OfFree(free, "/d").Status.ToString(), Is.EqualTo(status));

    [TestCase(null)]
    [TestCase("relative")]
    [TestCase("/nul\0l")]
    public void A_folder_that_is_none_is_not_measured(string? folder) => Assert.That(DiskCheck.Of(folder).Status, Is.EqualTo(FitnessStatus.Unknown));

    [Test]
    public void A_folder_that_is_not_there_yet_is_measured_above_it()
    {
        var check = DiskCheck.Of(Path.Combine(Path.GetTempPath(), "cimconvert-none", "none"));
        Assert.That(check.Message, Does.Contain(" free at " + Path.GetTempPath().TrimEnd(Path.DirectorySeparatorChar)));
    }

    [TestCase(0, "Ok", "agrees")]
    [TestCase(119, "Ok", "agrees")]
    [TestCase(120, "Warning", "0.00:02:00 ahead of that of r.example:")]
    [TestCase(-119, "Ok", "agrees")]
    [TestCase(-90000, "Warning", "1.01:00:00 behind that of r.example:")]
    public void Clocks_may_differ_a_little(int seconds, string status, string message)
    {
        var there = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var check = ImageChecks.OfClock(there.AddSeconds(seconds), there, "r.example");
        Assert.That(check.Status.ToString(), Is.EqualTo(status));
        Assert.That(check.Message, Does.Contain(message));
    }
}
