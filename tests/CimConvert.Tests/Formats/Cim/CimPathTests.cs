using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

internal sealed class CimPathTests
{
    [TestCase("a", "a")]
    [TestCase("a/b", "a\\b")]
    [TestCase("a\\b/c", "a\\b\\c")]
    [TestCase("a/", "a")]
    [TestCase("./a", "a")]
    [TestCase("././a", "a")]
    [TestCase("", "")]
    [TestCase(".", "")]
    [TestCase("./", "")]
    [TestCase("a.b", "a.b")]
    [TestCase("...", "...")]
    [TestCase("a b ", "a b ")]
    public void Paths_are_joined_by_backslashes(string text, string path) =>
        Assert.That(CimPath.Parse(text).Value, Is.EqualTo(path));

    [TestCase("/", "is absolute")]
    [TestCase("\\", "is absolute")]
    [TestCase("/a", "is absolute")]
    [TestCase("\\\\server\\share", "is absolute")]
    [TestCase("//", "is absolute")]
    [TestCase("..", "'..'")]
    [TestCase("a/../b", "'..'")]
    [TestCase("a/..", "'..'")]
    [TestCase("./..", "'..'")]
    [TestCase("a/./b", "'.'")]
    [TestCase("a//b", "empty component")]
    [TestCase("a//", "empty component")]
    [TestCase("c:", "':'")]
    [TestCase("c:/a", "':'")]
    [TestCase("a\0b", "NUL")]
    public void Paths_that_leave_the_image_or_cannot_be_are_refused(string text, string why) =>
        Assert.That(() => CimPath.Parse(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains(why).And.Message.Not.Contains("\0"));

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a\\b")]
    [TestCase("a/b")]
    [TestCase("a:b")]
    public void A_component_is_one_name(string name)
    {
        Assert.That(() => CimPath.Root.Append(name), Throws.TypeOf<InvalidDataException>());
        Assert.That(CimPath.ValidateName(name), Is.Not.Null);
    }

    [Test]
    public void A_component_has_255_units_at_most()
    {
        Assert.That(CimPath.Parse("d/" + new string('x', 255)).Name, Has.Length.EqualTo(255));
        Assert.That(() => CimPath.Parse("d/" + new string('x', 256)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("255"));
        Assert.That(CimPath.Root.Append(new string('x', 255)).Name, Has.Length.EqualTo(255));
        Assert.That(() => CimPath.Root.Append(new string('x', 256)), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void A_path_has_32767_units_at_most()
    {
        var longest = string.Join('/', Enumerable.Repeat(new string('x', 127), 255)) + "/" + new string('y', 127);
        Assert.That(longest, Has.Length.EqualTo(32767));
        var path = CimPath.Parse(longest);
        Assert.That(path.Value, Has.Length.EqualTo(32767));
        Assert.That(() => CimPath.Parse(longest + "y"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("32767").And.Message.Length.LessThan(300));
        Assert.That(() => path.Append("a"), Throws.TypeOf<InvalidDataException>());
        Assert.That(path.Parent.Append(new string('z', 127)).Value, Has.Length.EqualTo(32767));
    }

    [Test]
    [CancelAfter(10_000)]
    public void A_path_of_many_dots_takes_no_quadratic_time() =>
        Assert.That(CimPath.Parse(string.Concat(Enumerable.Repeat("./", 4_000_000)) + "a").Value, Is.EqualTo("a"));

    [Test]
    public void Name_and_parent_lead_up_to_the_root()
    {
        var path = CimPath.Parse("a/b/c");
        Assert.That((path.Name, path.Parent.Value, path.Parent.Parent.Value), Is.EqualTo(("c", "a\\b", "a")));
        Assert.That((path.Parent.Parent.Parent, CimPath.Root.Parent), Is.EqualTo((CimPath.Root, CimPath.Root)));
        Assert.That((CimPath.Root.IsRoot, path.IsRoot, CimPath.Root.Name), Is.EqualTo((true, false, "")));
    }
}
