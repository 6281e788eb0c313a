using CimConvert.Layers;
using CimConvert.Tests.Formats.Tar;
using NUnit.Framework;
using static CimConvert.Tests.Layers.LayerImportHarness;

namespace CimConvert.Tests.Layers;

/// <summary>Links, repeated names, and names that nothing good can come of.</summary>
internal sealed class LayerNamesTests
{
    private const string SystemHive = "Files/Windows/System32/config/SYSTEM";

    [Test]
    public void Links_come_last_in_tar_order_and_make_new_targets()
    {
        var calls = Child(new TarBuilder()
            .Add("Files/early", '1', link: "Files/late")
            .Add("Files/again", '1', link: "files/EARLY")
            .Add("Files/below", '1', link: "Files/parents")
            .Add("Files/below2", '1', link: "Files/below")
            .Add("Files/late"));
        Assert.That(calls, Is.EqualTo(new[]
        {
            @"file Files\late 0",
            @"hard Files\early Files\late",
            @"hard Files\again files\EARLY",
            @"merge Files\below Files\parents",
            @"merge Files\below2 Files\below",
        }));
    }

    [Test]
    public void A_standard_file_that_a_link_needs_goes_before_it()
    {
        var calls = Child(new TarBuilder()
            .Add("Files/link", '1', link: SystemHive.ToUpperInvariant())
            .Add("Files/other", '1', link: "Files/link")
            .Add("Hives/SAM_DELTA")
            .Add(SystemHive, data: new byte[5]));
        Assert.That(calls, Is.EqualTo(new[]
        {
            @"file Files\Windows\System32\config\SYSTEM 5",
            @"hard Files\link FILES\WINDOWS\SYSTEM32\CONFIG\SYSTEM",
            @"hard Files\other Files\link",
            @"file Hives\SAM_DELTA 0",
        }));
    }

    [Test]
    public void A_link_to_a_standard_file_of_a_lower_layer_is_a_merge_link() =>
        Assert.That(Child(new TarBuilder().Add("Files/link", '1', link: SystemHive)), Is.EqualTo(new[] { @"merge Files\link Files\Windows\System32\config\SYSTEM" }));

    [Test]
    public void Files_and_links_of_one_name_the_last_wins()
    {
        Assert.That(
            Child(new TarBuilder().Add("Files/a", data: new byte[1]).Add("FILES/A", data: new byte[2])),
            Is.EqualTo(new[] { @"file Files\a 1", @"file FILES\A 2" }));
        Assert.That(
            Child(new TarBuilder().Add("Files/a").Add("Files/l", '1', link: "Files/a").Add("Files/L", data: new byte[1])),
            Is.EqualTo(new[] { @"file Files\a 0", @"file Files\L 1" }), "the file makes the link void");
        Assert.That(
            Child(new TarBuilder().Add("Files/a").Add("Files/l").Add("Files/L", '1', link: "Files/a")),
            Is.EqualTo(new[] { @"file Files\a 0", @"file Files\l 0", @"hard Files\L Files\a" }), "the link comes after the file");
        Assert.That(
            Child(new TarBuilder().Add("Files/a").Add("Files/b").Add("Files/l", '1', link: "Files/a").Add("Files/l", '1', link: "Files/b")),
            Is.EqualTo(new[] { @"file Files\a 0", @"file Files\b 0", @"hard Files\l Files\b" }));
        Assert.That(
            Child(new TarBuilder().Add("Files/a").Add("Files/a", '2', link: "b")),
            Is.EqualTo(new[] { @"file Files\a 0", @"file Files\a 0" }));
        Assert.That(
            Child(new TarBuilder().Add("Files/d/", '5').Add("Files/d/x").Add("Files/D/", '5')),
            Is.EqualTo(new[] { @"file Files\d 0", @"file Files\d\x 0", @"file Files\D 0" }));
    }

    [Test]
    public void Of_a_repeated_standard_file_the_last_is_staged_and_added()
    {
        using var folder = new LayerFolder();
        var (calls, _) = Import(
            new TarBuilder().Add("Hives/SAM_DELTA", data: new byte[9]).Add("Files/x").Add("hives/sam_delta", data: "new"u8.ToArray()), isBase: false, folder);
        Assert.That(calls, Is.EqualTo(new[] { @"file Files\x 0", @"file hives\sam_delta 3" }));
        Assert.That(folder.Read("Hives/SAM_DELTA"), Is.EqualTo("new"u8.ToArray()));
    }

    [Test]
    public void Names_that_would_be_directory_and_file_at_once_are_refused()
    {
        Assert.That(Fails(new TarBuilder().Add("Files/d/", '5').Add("Files/D")).Message, Does.Contain("the layer has a directory by that name"));
        Assert.That(Fails(new TarBuilder().Add("Files/d").Add("Files/d/", '5')).Message, Does.Contain("something else"));
        Assert.That(Fails(new TarBuilder().Add("Files/d/x").Add("Files/d")).Message, Does.Contain("the layer has a directory"));
        Assert.That(Fails(new TarBuilder().Add("Files/d").Add("Files/D/x/y")).Message, Does.Contain(@"below 'Files\D', which is not a directory"));
        Assert.That(Fails(new TarBuilder().Add("Files/l", '1', link: "Files/a").Add("Files/l/x")).Message, Does.Contain("not a directory"));
        var junction = new TarBuilder().Add("Files/l", '2', link: @"C:\Users", pax: [("MSWINDOWS.mountpoint", "1"), ("MSWINDOWS.fileattr", "16")]);
        Assert.That(Fails(junction.Add("Files/l/x")).Message, Does.Contain("not a directory"));
    }

    [TestCase("Files/a", "Files/A", "to itself")]
    [TestCase("Files/a", "Files/dir", "to the directory 'Files\\dir'")]
    [TestCase("Files/a", "Files/made", "to the directory")]
    [TestCase("Files/a", "Files/junction", "to the directory")]
    [TestCase("Files/a", "../x", "'..'")]
    [TestCase("Files/a", "/Files/x", "absolute")]
    [TestCase("Files/a", "", "root of the image")]
    [TestCase("Files/a", "Files/x:s", "':'")]
    [TestCase("Files/a:s", "Files/x", "':'")]
    [TestCase(SystemHive, "Files/x", "a link in the place of")]
    [TestCase("hives/system_DELTA", "Files/x", "a link in the place of")]
    public void Links_that_make_no_sense_are_refused(string name, string target, string why)
    {
        var tar = new TarBuilder()
            .Add("Files/dir/", '5')
            .Add("Files/made/file")
            .Add("Files/junction", '2', link: @"C:\", pax: [("MSWINDOWS.fileattr", "16")])
            .Add(name, '1', link: target);
        Assert.That(Fails(tar).Message, Does.Contain(why).And.Contain($"'{name.Replace('/', '\\')}'"));
    }

    [Test]
    public void A_base_layer_has_nothing_below_to_link_to()
    {
        var wrong = Fails(BaseTar().Add("Files/l", '1', link: "Files/absent"), isBase: true);
        Assert.That(wrong.Message, Does.Contain(@"'Files\l'").And.Contain(@"a hard link to 'Files\absent'"));
        Assert.That(wrong.TarOffset, Is.EqualTo(5 * 1024));
    }

    [TestCase("Hives")]
    [TestCase("hives/SAM_base")]
    [TestCase("layout")]
    public void What_the_importer_adds_is_no_target_for_links(string target) =>
        Assert.That(Fails(BaseTar().Add("Files/l", '1', link: target), isBase: true).Message, Does.Contain("which this layer does not have before it"));

    [TestCase("Hives")]
    [TestCase("Hives/SAM_BASE/x")]
    [TestCase("layout/x")]
    public void A_base_layer_leaves_place_for_what_the_importer_adds(string name) =>
        Assert.That(Fails(BaseTar().Add(name), isBase: true).Message, Does.Contain("leaves no place for"));

    [Test]
    public void What_the_importer_adds_to_a_base_layer_replaces_what_the_tar_has()
    {
        var calls = Import(BaseTar().Add("LAYOUT").Add("Hives/sam_base", '1', link: SystemHive), isBase: true).Calls;
        Assert.That(calls, Has.None.Contains("sam_base"), "the link became void");
        Assert.That(calls[0], Is.EqualTo("file LAYOUT 0"));
        Assert.That(calls[^1], Is.EqualTo("file layout 15"));
    }

    [TestCase('2')]
    [TestCase('5')]
    public void Standard_files_are_files(char type) =>
        Assert.That(Fails(new TarBuilder().Add(SystemHive, type, link: "x")).Message, Does.Contain("in the place of a file that the importer works on"));

    [Test]
    public void Standard_files_have_one_stream()
    {
        Assert.That(Fails(new TarBuilder().Add(SystemHive).Add(SystemHive + ":s")).Message, Does.Contain("an alternate stream of a file that the importer works on"));
        Assert.That(Fails(new TarBuilder().Add("Files/x").Add("HIVES/sam_delta:s:$DATA")).Message, Does.Contain("an alternate stream of"));
    }

    [TestCase('3', "CharacterDevice")]
    [TestCase('4', "BlockDevice")]
    [TestCase('6', "Fifo")]
    public void What_windows_has_none_of_is_refused(char type, string name) =>
        Assert.That(Fails(new TarBuilder().Add("Files/x", type)).Message, Does.Contain(name));

    [TestCase("/Files/x", "absolute")]
    [TestCase(@"\Files\x", "absolute")]
    [TestCase("Files/../x", "'..'")]
    [TestCase("Files//x", "empty component")]
    [TestCase("Files/./x", "'.'")]
    [TestCase("", "without a name")]
    [TestCase("./", "root of the image")]
    [TestCase("Files/.wh.", "empty component")]
    [TestCase("Files/.wh..", "'..'")]
    [TestCase("Files/.wh...", "'..'")]
    [TestCase("Files/.wh.a:b", "':'")]
    [TestCase("../.wh.x", "'..'")]
    [TestCase("/.wh.x", "absolute")]
    public void Names_that_leave_the_image_or_cannot_be_are_refused(string name, string why) =>
        Assert.That(Fails(new TarBuilder().Add(name)).Message, Does.Contain(why).And.Contain("at offset 0"));

    // As in hcsshim, what CimFS can name is stored as it is: inside a CIM these are names and nothing else.
    [TestCase("Files/CON")]
    [TestCase("Files/nul.txt")]
    [TestCase("Files/COM1")]
    [TestCase("Files/dot.")]
    [TestCase("Files/space ")]
    [TestCase("Files/...")]
    [TestCase("Files/a*b?<c>|")]
    [TestCase("Files/\u0001")]
    [TestCase("Files/\u202etxt.exe")]
    [TestCase("Files/e\u0301")]
    [TestCase("Files/.whiteout")]
    [TestCase("files/x")]
    public void Names_that_only_programs_of_windows_dislike_are_kept(string name) =>
        Assert.That(Child(new TarBuilder().Add(name)), Is.EqualTo(new[] { $"file {name.Replace('/', '\\')} 0" }));

    [TestCase(@"\\?\C:\x", "absolute")]
    [TestCase(@"\\server\share\x", "absolute")]
    [TestCase("//server/share/x", "absolute")]
    [TestCase(@"\??\C:\x", "absolute")]
    [TestCase("C:/x", "':'")]
    [TestCase("C:x", "does not follow its file", Description = "a stream, of a file C that is not there")]
    [TestCase(@"Files\..\..\x", "'..'")]
    [TestCase(@"Files/..\x", "'..'")]
    [TestCase("Files/x:..", "'..'")]
    [TestCase("Files/x:a/b", "':'")]
    [TestCase("Files/x::$DATA", "empty")]
    [TestCase("Files/:s", "does not follow")]
    [TestCase("Files/d:s/x", "':'")]
    [TestCase("Files/.wh...", "'..'")]
    public void Absolute_and_odd_names_are_refused(string name, string why) =>
        Assert.That(Fails(new TarBuilder().Add(name)).Message, Does.Contain(why));

    [Test]
    public void Path_limits_hold_on_both_sides()
    {
        Assert.That(Child(new TarBuilder().Add("Files/" + new string('n', 255))), Has.Length.EqualTo(1));
        Assert.That(Fails(new TarBuilder().Add("Files/" + new string('n', 256))).Message, Does.Contain("255"));
        var deep = string.Concat(Enumerable.Repeat(new string('d', 127) + "/", 255));
        Assert.That(Child(new TarBuilder().Add(deep + new string('n', 127))), Has.Length.EqualTo(1), "0x7fff");
        Assert.That(Fails(new TarBuilder().Add(deep + new string('n', 128))).Message, Does.Contain("32767"));
        Assert.That(Child(new TarBuilder().Add("Files/.wh." + new string('n', 255))), Has.Length.EqualTo(1));
        Assert.That(Fails(new TarBuilder().Add("Files/a").Add("Files/a:" + new string('s', 256))).Message, Does.Contain("255"));
    }

    [Test]
    public void Errors_show_names_on_one_line()
    {
        var wrong = Fails(new TarBuilder().Add("Files/a\n\u001b[31m\tb", '6'));
        Assert.That(wrong.Message, Does.StartWith(@"entry 'Files\a??[31m?b' at offset 0: "));
        Assert.That(new LayerImportException(new string('n', 5000), 1, "x").Message, Has.Length.LessThan(300));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Hostile_layers_import_or_fail_with_a_reason()
    {
        string[] names =
        [
            "Files", "Files/", "Files/a", "Files/A", "Files/a:s", "Files/a/b", "Files/.wh.a", "Files/.wh..wh..opq", SystemHive, SystemHive + ":s", "Hives/SAM_DELTA",
            "Hives", "layout", "Hives/SYSTEM_BASE", "UtilityVM/Files/EFI/Microsoft/Boot/BCD", "..", ".", "", "Files/l",
        ];
        var random = new Random(20261122);
        var imported = 0;
        for (var round = 0; round < 600; round++)
        {
            var isBase = random.Next(2) == 0;
            var tar = isBase ? BaseTar() : new TarBuilder();
            for (var entry = random.Next(1, 7); entry > 0; entry--)
            {
                tar.Add(names[random.Next(names.Length)], "000001225"[random.Next(9)], link: names[random.Next(names.Length)]);
            }

            using var folder = new LayerFolder();
            try
            {
                Import(tar, isBase, folder);
                imported++;
                Assert.That(folder.Files, Is.All.StartsWith("Hives/"));
            }
            catch (LayerImportException)
            {
                Assert.That(folder.Everything, Is.Empty);
            }
        }

        Assert.That(imported, Is.GreaterThan(50));
    }
}
