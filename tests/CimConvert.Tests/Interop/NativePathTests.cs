using CimConvert.Interop;
using NUnit.Framework;

namespace CimConvert.Tests.Interop;

public class NativePathTests
{
    [TestCase(@"\\.\PhysicalDrive3", true)]
    [TestCase(@"\\?\Volume{6a2a5a3e-0000-0000-0000-100000000000}", true)]
    [TestCase(@"\\?\Volume{6a2a5a3e-0000-0000-0000-100000000000}\", true)]
    [TestCase(@"\\?\volume{6a2a5a3e-0000-0000-0000-100000000000}\file.bcim", false)]
    [TestCase(@"\\?\C:\layers\layer.bcim", false)]
    [TestCase(@"\\server\share\layer.bcim", false)]
    [TestCase(@"C:\layers\layer.bcim", false)]
    [TestCase("layer.bcim", false)]
    public void Devices_are_told_from_files(string path, bool isDevice) => Assert.That(NativePath.IsDevice(path), Is.EqualTo(isDevice));

    [Test]
    public void A_device_loses_what_is_behind_its_name() =>
        Assert.That(NativePath.Of(@"\\?\Volume{6a2a5a3e-0000-0000-0000-100000000000}\"), Is.EqualTo(@"\\?\Volume{6a2a5a3e-0000-0000-0000-100000000000}"));
}
