using CimConvert.Containerd;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

public class ContainerdAddressTests
{
    [TestCase("unix:///run/containerd/containerd.sock", "unix:///run/containerd/containerd.sock")]
    [TestCase("/run/containerd/containerd.sock", "unix:///run/containerd/containerd.sock")]
    [TestCase("npipe:////./pipe/containerd-containerd", "npipe:////./pipe/containerd-containerd")]
    [TestCase(@"\\.\pipe\containerd-containerd", "npipe:////./pipe/containerd-containerd")]
    [TestCase(@"\\.\PIPE\mine", "npipe:////./pipe/mine")]
    public void Sockets_and_pipes_are_read(string text, string shown) => Assert.That(ContainerdAddress.Parse(text).ToString(), Is.EqualTo(shown));

    [TestCase("", "write unix:///PATH")]
    [TestCase("containerd.sock", "write unix:///PATH")]
    [TestCase("unix://run/containerd.sock", "write unix:///PATH")]
    [TestCase("tcp://127.0.0.1:1234", "write unix:///PATH")]
    [TestCase("npipe:////./pipe/", "names no pipe")]
    [TestCase(@"\\.\pipe\a\b", @"has no '\'")]
    [TestCase("/run/a\nb", "control character")]
    public void Others_are_refused_in_one_line(string text, string problem) => Assert.That(
        () => ContainerdAddress.Parse(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains(problem).And.Message.Not.Contains("\n"));

    [TestCase("/", 107)]
    [TestCase("npipe:////./pipe/", 247)]
    public void Names_have_a_longest_length(string start, int longest)
    {
        var name = new string('a', start == "/" ? longest - 1 : longest);
        Assert.That(() => ContainerdAddress.Parse(start + name), Throws.Nothing);
        Assert.That(() => ContainerdAddress.Parse(start + name + "a"), Throws.TypeOf<InvalidDataException>().With.Message.Contains($"at most {longest}"));
    }

    [Test]
    public void The_default_is_that_of_the_system() => Assert.That(
        ContainerdAddress.Default.ToString(),
        Is.EqualTo(OperatingSystem.IsWindows() ? "npipe:////./pipe/containerd-containerd" : "unix:///run/containerd/containerd.sock"));
}
