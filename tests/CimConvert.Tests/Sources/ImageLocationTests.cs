using CimConvert.Sources;
using NUnit.Framework;

namespace CimConvert.Tests.Sources;

public class ImageLocationTests
{
    [TestCase("oci:dir", "dir", null)]
    [TestCase("oci:/some/dir:v1", "/some/dir", "v1")]
    [TestCase("oci:dir:host:5000/win/app:v1", "dir", "host:5000/win/app:v1")]
    [TestCase(@"oci:C:\images", @"C:\images", null)]
    [TestCase(@"oci:C:\images:v1", @"C:\images", "v1")]
    [TestCase("oci:C:/images:v1", "C:/images", "v1")]
    [TestCase("oci:C:v1", "C", "v1")]
    public void Layouts_are_read(string text, string folder, string? name)
    {
        Assert.That(ImageLocation.Parse(text), Is.EqualTo(new ImageLocation.Layout(folder, name)));
        Assert.That(ImageLocation.Parse(text).ToString(), Is.EqualTo(text));
    }

    [TestCase("docker-archive:image.tar", "image.tar", null)]
    [TestCase("docker-archive:./image.tar:win/app:v1", "./image.tar", "win/app:v1")]
    public void Archives_are_read(string text, string file, string? name)
    {
        Assert.That(ImageLocation.Parse(text), Is.EqualTo(new ImageLocation.Archive(file, name)));
        Assert.That(ImageLocation.Parse(text).ToString(), Is.EqualTo(text));
    }

    [TestCase("oci/app", "docker.io/oci/app:latest")]
    [TestCase("docker.io/library/oci:v1", "docker.io/library/oci:v1")]
    [TestCase("localhost:5000/oci:v1", "localhost:5000/oci:v1")]
    public void Anything_else_is_a_reference(string text, string canonical) => Assert.That(ImageLocation.Parse(text).ToString(), Is.EqualTo(canonical));

    [TestCase("oci:")]
    [TestCase("oci::v1")]
    [TestCase("oci:dir:")]
    [TestCase("docker-archive:")]
    [TestCase("docker-archive:file:")]
    [TestCase("OCI:dir")]
    [TestCase("")]
    public void What_is_no_location_is_refused(string text) => Assert.That(() => ImageLocation.Parse(text), Throws.TypeOf<InvalidDataException>());
}
