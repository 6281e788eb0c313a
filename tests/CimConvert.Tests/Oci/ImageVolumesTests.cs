using System.Text;
using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

public class ImageVolumesTests
{
    [TestCase("""{"config":{"Volumes":{"C:\\data":{},"c:/log":{}}}}""", "C:\\data c:/log")]
    [TestCase("""{"config":{"Volumes":null}}""", "")]
    [TestCase("""{"config":{"Volumes":["C:\\data"]}}""", "")]
    [TestCase("""{"config":null}""", "")]
    [TestCase("{}", "")]
    public void Volumes_are_the_keys(string config, string expected) =>
        Assert.That(string.Join(' ', ImageVolumes.Read(Encoding.UTF8.GetBytes(config))), Is.EqualTo(expected));
}
