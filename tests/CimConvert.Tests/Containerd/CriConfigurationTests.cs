using CimConvert.Containerd;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

public class CriConfigurationTests
{
    private const string Cimfs = @"C:\ProgramData\containerd\root\io.containerd.snapshotter.v1.cimfs";
    private const string Windows = @"C:\ProgramData\containerd\root\io.containerd.snapshotter.v1.windows";

    private static readonly ContainerdPlugin s_elsewhere = new(
        ContainerdPlugin.SnapshotterType, "blockcim", InitError: null, new Dictionary<string, string> { ["root"] = @"D:\layers" }, []);

    [TestCase("""{"containerd":{"snapshotter":"cimfs"},"ignoreImageDefinedVolumes":true}""", "", "cimfs", null, true, TestName = "containerd_1_tells_all")]
    [TestCase("""{"containerd":{"runtimes":{"a":{"snapshotter":""}}},"ignoreImageDefinedVolumes":false}""", Cimfs, "cimfs", null, false, TestName = "containerd_2_tells_a_folder")]
    [TestCase("""{"containerd":{}}""", @"D:\layers", "blockcim", null, null, TestName = "A_plugin_tells_whose_folder_it_is")]
    [TestCase("""{"containerd":{}}""", "/var/lib/other", null, null, null, TestName = "A_folder_of_nobody_tells_nothing")]
    [TestCase(
        """{"containerd":{"defaultRuntimeName":"a","snapshotter":"windows","runtimes":{"a":{"snapshotter":"cimfs"}}}}""", Windows, "cimfs", "a", null, TestName = "The_default_runtime_may_have_its_own")]
    [TestCase(
        """{"containerd":{"defaultRuntimeName":"a","runtimes":{"a":{},"b":{"snapshotter":"windows"}}}}""", Windows + ";" + Cimfs, "cimfs", null, null, TestName = "What_another_runtime_has_is_not_the_default")]
    [TestCase("""{"containerd":{}}""", Windows + ";" + Cimfs, null, null, null, TestName = "Of_two_folders_neither_is_told")]
    [TestCase("""["no object"]""", "", null, null, null, TestName = "Another_document_tells_nothing")]
    [TestCase("""{"containerd":[],"ignoreImageDefinedVolumes":"yes"}""", "", null, null, null, TestName = "Other_types_tell_nothing")]
    [TestCase("{", Cimfs, "cimfs", null, null, TestName = "A_broken_document_tells_nothing")]
    [TestCase(null, "", null, null, null, TestName = "No_document_tells_nothing")]
    public void It_is_read_as_far_as_it_is_told(string? config, string folders, string? snapshotter, string? runtime, bool? ignoresVolumes)
    {
        var found = CriConfiguration.Of(config, folders.Split(';', StringSplitOptions.RemoveEmptyEntries), [s_elsewhere]);
        Assert.That((found.Snapshotter, found.Runtime, found.IgnoresImageVolumes), Is.EqualTo((snapshotter, runtime, ignoresVolumes)));
    }
}
