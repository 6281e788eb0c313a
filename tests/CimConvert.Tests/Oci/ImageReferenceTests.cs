using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

public sealed class ImageReferenceTests
{
    private const string Hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [TestCase("alpine", "docker.io", "library/alpine", "latest", false)]
    [TestCase("alpine:3.20", "docker.io", "library/alpine", "3.20", false)]
    [TestCase("library/alpine", "docker.io", "library/alpine", "latest", false)]
    [TestCase("user/app:1", "docker.io", "user/app", "1", false)]
    [TestCase("docker.io/alpine", "docker.io", "library/alpine", "latest", false)]
    [TestCase("index.docker.io/alpine", "docker.io", "library/alpine", "latest", false)]
    [TestCase("docker.io/user/app", "docker.io", "user/app", "latest", false)]
    [TestCase("localhost/app", "localhost", "app", "latest", false)]
    [TestCase("localhost:5000/app:v1", "localhost:5000", "app", "v1", false)]
    [TestCase("localhost:5000", "docker.io", "library/localhost", "5000", false)]
    [TestCase("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", "latest", false)]
    [TestCase("[::1]:5000/app", "[::1]:5000", "app", "latest", false)]
    [TestCase("[2001:db8::1]/app", "[2001:db8::1]", "app", "latest", false)]
    [TestCase("mcr.microsoft.com/windows/nanoserver:ltsc2022", "mcr.microsoft.com", "windows/nanoserver", "ltsc2022", false)]
    [TestCase("UPPER/app", "UPPER", "app", "latest", false)]
    [TestCase("a.b/x_y/x__y/x-y/x---y/x.y", "a.b", "x_y/x__y/x-y/x---y/x.y", "latest", false)]
    [TestCase("app:_", "docker.io", "library/app", "_", false)]
    [TestCase("app@sha256:" + Hex, "docker.io", "library/app", null, true)]
    [TestCase("r.example:443/app:1@sha256:" + Hex, "r.example:443", "app", "1", true)]
    [TestCase("r.example:65535/app", "r.example:65535", "app", "latest", false)]
    public void Names_are_split_and_defaults_filled_in(string text, string registry, string repository, string? tag, bool hasDigest)
    {
        var reference = ImageReference.Parse(text);
        Assert.That((reference.Registry, reference.Repository, reference.Tag), Is.EqualTo((registry, repository, tag)));
        Assert.That(reference.Digest?.Hex, Is.EqualTo(hasDigest ? Hex : null));
        Assert.That(reference.Original, Is.EqualTo(text));

        // The full name means the same image.
        Assert.That(ImageReference.Parse(reference.ToString()).ToString(), Is.EqualTo(reference.ToString()));
    }

    [TestCase("", "names no repository")]
    [TestCase(":tag", "names no repository")]
    [TestCase("@sha256:" + Hex, "names no repository")]
    [TestCase("App", "must be lower case")]
    [TestCase("r.example/App", "must be lower case")]
    [TestCase("app:", "the tag ''")]
    [TestCase("app:.x", "the tag '.x'")]
    [TestCase("app:-x", "the tag '-x'")]
    [TestCase("app:a b", "the tag 'a b'")]
    [TestCase("app@", "form sha256:")]
    [TestCase("app@sha512:00", "only sha256")]
    [TestCase("app@sha256:" + Hex + "@sha256:" + Hex, "characters after")]
    [TestCase("r.example/", "must be lower-case letters")]
    [TestCase("r.example//app", "must be lower-case letters")]
    [TestCase("r.example/app/", "must be lower-case letters")]
    [TestCase("/app", "must be lower-case letters")]
    [TestCase("r.example/../app", "must be lower-case letters")]
    [TestCase("r.example/a___b", "must be lower-case letters")]
    [TestCase("r.example/-a", "must be lower-case letters")]
    [TestCase("r.example/a%2f", "must be lower-case letters")]
    [TestCase("[::14294967295]:5000/app", "is not a registry's host name")]
    [TestCase("[:91]/app", "is not a registry's host name")]
    [TestCase("https://r.example/app", "is not a registry's host")]
    [TestCase("-r.example/app", "is not a registry's host")]
    [TestCase("r..example/app", "is not a registry's host")]
    [TestCase("[::1/app", "is not a registry's host")]
    [TestCase("u:p@r.example/app", "is not of the form sha256:")]
    [TestCase("r.example:/app", "is not a registry's host")]
    [TestCase("r.example:0/app", "not between 1 and 65535")]
    [TestCase("r.example:65536/app", "not between 1 and 65535")]
    [TestCase(Hex, "are an image ID")]
    [TestCase("app\n", "must be lower-case letters")]
    [TestCase("app:1\n", "the tag '1?'")]
    public void Other_names_are_refused_with_the_reason_on_one_line(string text, string reason) =>
        Assert.That(
            () => ImageReference.Parse(text),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason).And.Message.Not.Contains("\n"));

    [Test]
    public void Lengths_are_limited()
    {
        Assert.That(() => ImageReference.Parse("r.example/" + new string('a', 255)), Throws.Nothing);
        Assert.That(() => ImageReference.Parse("r.example/" + new string('a', 256)), Throws.InstanceOf<InvalidDataException>());
        Assert.That(() => ImageReference.Parse("app:" + new string('a', 128)), Throws.Nothing);
        Assert.That(() => ImageReference.Parse("app:" + new string('a', 129)), Throws.InstanceOf<InvalidDataException>());
        Assert.That(() => ImageReference.Parse(new string('a', 254) + ".b/app"), Throws.InstanceOf<InvalidDataException>());
    }

    [TestCase("windows/amd64", "windows", "amd64", null)]
    [TestCase("Windows/x86_64", "windows", "amd64", null)]
    [TestCase("linux/arm64/v8", "linux", "arm64", "v8")]
    [TestCase("linux/aarch64", "linux", "arm64", null)]
    public void Platforms_are_read_as_written_on_the_command_line(string text, string os, string architecture, string? variant)
    {
        var platform = Platform.Parse(text);
        Assert.That((platform.Os, platform.Architecture, platform.Variant), Is.EqualTo((os, architecture, variant)));
    }

    [TestCase("")]
    [TestCase("windows")]
    [TestCase("windows/")]
    [TestCase("/amd64")]
    [TestCase("windows/amd64/v1/x")]
    [TestCase("win dows/amd64")]
    public void Other_platforms_are_refused(string text) =>
        Assert.That(() => Platform.Parse(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains("os/architecture"));
}
