using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Values set in a hive: what changes, and that nothing else does.</summary>
public class HiveEditTests
{
    [Test]
    public void A_value_is_replaced_in_its_place_and_keeps_its_spelling()
    {
        var hive = HiveFiles.Read(Tree());
        var edited = HiveEdit.SetValue(hive, @"\branch\LEAF", new HiveValue("VALUE", 3, new byte[] { 9 }));

        var before = HiveFiles.Dump(hive);
        Assert.That(HiveFiles.Dump(edited), Is.EqualTo(before.Replace("'Value' 1 False 6F006C0064000000", "'Value' 3 False 09", StringComparison.Ordinal)).And.Not.EqualTo(before));
        Assert.That(HiveFiles.Dump(hive), Is.EqualTo(HiveFiles.Dump(HiveFiles.Read(Tree()))), "the hive that was changed stays as it is");
        Assert.That((edited.LastWritten, edited.FileName, edited.MinorVersion), Is.EqualTo((hive.LastWritten, hive.FileName, hive.MinorVersion)));
    }

    [Test]
    public void Missing_keys_are_made_with_the_security_of_those_above()
    {
        var edited = HiveEdit.SetValue(HiveFiles.Read(Tree()), @"Branch\New\Deep", new HiveValue("x", 4, new byte[4]));

        var made = edited.Find(@"Branch\New\Deep", out var path)!;
        Assert.That(path, Is.EqualTo(@"\Branch\New\Deep"));
        Assert.That(made.Security, Is.EqualTo(edited.Find("Branch", out _)!.Security));
        Assert.That(made.LastWritten, Is.EqualTo(edited.Find("Branch", out _)!.LastWritten));
        Assert.That(edited.Find("Branch", out _)!.Subkeys.Select(key => key.Name), Is.EqualTo(new[] { "Leaf", "New", "Other" }));
    }

    [Test]
    public void The_root_has_values_too() =>
        Assert.That(HiveEdit.SetValue(HiveFiles.Read(Tree()), "", new HiveValue("", 1, default)).Root.FindValue(""), Is.Not.Null);

    [Test]
    public void A_predefined_handle_holds_no_values()
    {
        var hive = HiveFiles.Read(new KeySpec("r").With(new KeySpec("009") { Flags = 0x40, ValueCount = 0x8000_0004 }));
        Assert.That(() => HiveEdit.SetValue(hive, "009", new HiveValue("x", 1, default)), Throws.TypeOf<InvalidDataException>().With.Message.Contain("'009'"));
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Other_tools_read_what_was_set()
    {
        using var tools = new HiveTools();
        var edited = HiveEdit.SetValue(HiveReader.Read(HiveFiles.WindowsEmpty()), @"New\Key", new HiveValue("v", 4, new byte[] { 1, 2, 3, 4 }));

        Assert.That(Encoding.UTF8.GetString(tools.Export(HiveFiles.Write(edited), @"\New")), Does.Contain(@"[\New\Key]").And.Contain("\"v\"=dword:04030201"));
    }

    private static KeySpec Tree() => new KeySpec("root") { Security = [1, 0, 4, 128] }.With(
        new KeySpec("Branch") { Security = [1, 0, 4, 129], LastWritten = 77, ClassName = "class" }.With(
            new KeySpec("Leaf") { ControlFlags = 3, AccessBits = 2 }.With(ValueSpec.Text("First", "a"), ValueSpec.Text("Value", "old"), ValueSpec.Text("Last", "z")),
            new KeySpec("Other").With(ValueSpec.Text("Value", "old2"))));
}
