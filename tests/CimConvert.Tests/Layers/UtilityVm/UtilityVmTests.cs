using CimConvert.Layers;
using CimConvert.Layers.UtilityVm;
using CimConvert.Tests.Formats.Tar;
using NUnit.Framework;

namespace CimConvert.Tests.Layers.UtilityVm;

/// <summary>Which calls a boot CIM is made with, link by link.</summary>
internal sealed class UtilityVmTests
{
    private const string Vm = "UtilityVM/Files/";

    [Test]
    public void The_folder_becomes_the_root_and_nothing_else_is_in_it() =>
        Assert.That(
            Calls(new TarBuilder()
                .Add("Files/", '5')
                .Add("Files/a")
                .Add("UtilityVM/", '5')
                .Add("UtilityVM/SystemTemplate.vhdx", data: new byte[9])
                .Add("UtilityVM/Files/", '5')
                .Add("UtilityVM/FilesNot/x")
                .Add("utilityvm/FILES/d/", '5')
                .Add("UtilityVM/Files/d/x", data: new byte[3])),
            Is.EqualTo(new[] { "file d 0", @"file d\x 3" }));

    [Test]
    public void Directories_come_before_copies_that_lie_in_them_and_keep_their_streams() =>
        Assert.That(
            Calls(new TarBuilder()
                .Add("Files/a", data: new byte[2])
                .Add(Vm + "d/", '5')
                .Add(Vm + "d:s", data: new byte[1])
                .Add(Vm + "d/e/", '5')
                .Add(Vm + "d/e/a", '1', link: "Files/a")),
            Is.EqualTo(new[] { "file d 0", @"file d\e 0", @"file d\e\a 2", "stream d:s:$DATA 1" }));

    [Test]
    public void Links_to_files_outside_are_copies_and_further_ones_links_to_the_first()
    {
        var calls = Calls(new TarBuilder()
            .Add("Files/a.dll", data: new byte[7])
            .Add(Vm + "y", '1', link: "files/A.DLL")
            .Add(Vm + "z", '1', link: "Files/a.dll")
            .Add("Files/unused", data: new byte[5])
            .Add("Hives/h", data: new byte[6])
            .Add(Vm + "h", '1', link: "Hives/h"));
        Assert.That(calls, Is.EqualTo(new[] { "file y 7", "file h 6", "hard z y" }));
    }

    [Test]
    public void Chains_are_followed_wherever_they_lead_and_in_whatever_order()
    {
        var calls = Calls(new TarBuilder()
            .Add(Vm + "early", '1', link: "Files/two")
            .Add("Files/two", '1', link: "Files/one")
            .Add("Files/one", '1', link: "Files/real")
            .Add("Files/real", data: new byte[4])
            .Add(Vm + "own", data: new byte[2])
            .Add(Vm + "l1", '1', link: Vm + "own")
            .Add(Vm + "l2", '1', link: Vm + "l1")
            .Add("Files/back", '1', link: Vm + "own")
            .Add(Vm + "l3", '1', link: "Files/back")
            .Add(Vm + "l4", '1', link: Vm + "early"));
        Assert.That(calls, Is.EqualTo(new[] { "file early 4", "file own 2", "hard l1 own", "hard l2 own", "hard l3 own", "hard l4 early" }));
    }

    [Test]
    public void A_long_chain_is_followed_once()
    {
        const int links = 20_000;
        var tar = new TarBuilder().Add("Files/0", data: new byte[1]);
        for (var i = 1; i <= links; i++)
        {
            tar.Add($"{Vm}{i}", '1', link: i == 1 ? "Files/0" : $"{Vm}{i - 1}");
        }

        var calls = Calls(tar);
        Assert.That((calls[0], calls[^1], calls.Length), Is.EqualTo(("file 1 1", $"hard {links} 1", links)));
    }

    [Test]
    public void Of_a_repeated_name_the_last_entry_wins()
    {
        Assert.That(
            Calls(new TarBuilder().Add(Vm + "a", data: new byte[1]).Add(Vm + "A", data: new byte[2])), Is.EqualTo(new[] { "file A 2" }));
        Assert.That(
            Calls(new TarBuilder()
                .Add("Files/s", data: new byte[1]).Add("Files/s:old").Add("Files/S", data: new byte[2]).Add("Files/s:new")
                .Add(Vm + "l", data: new byte[9]).Add(Vm + "l", '1', link: "Files/s")),
            Is.EqualTo(new[] { "file l 2", "stream l:new:$DATA 0" }));
        Assert.That(
            Calls(new TarBuilder().Add("Files/s").Add(Vm + "l", '1', link: "Files/s").Add(Vm + "l", data: new byte[9])), Is.EqualTo(new[] { "file l 9" }));
    }

    [Test]
    public void Streams_and_symbolic_links_come_along() =>
        Assert.That(
            Calls(new TarBuilder()
                .Add(Vm + "f", data: new byte[1]).Add(Vm + "f:s", data: new byte[2])
                .Add("Files/o", data: new byte[3]).Add("Files/o:t:$DATA", data: new byte[4])
                .Add(Vm + "c", '1', link: "Files/o")
                .Add(Vm + "sym", '2', link: "f")
                .Add(Vm + "toSym", '1', link: Vm + "sym")),
            Is.EqualTo(new[] { "file f 1", "stream f:s:$DATA 2", "file c 3", "stream c:t:$DATA 4", "file sym 0", "hard toSym sym" }));

    [TestCase("Files/nowhere", @"its target 'Files\nowhere' is not in the layer")]
    [TestCase(Vm + "nowhere", @"its target 'UtilityVM\Files\nowhere' is not in the layer")]
    [TestCase("Files/dangling", @"its target 'Files\gone' is not in the layer")]
    [TestCase("Files/d", @"its target 'Files\d' is a directory")]
    [TestCase("Files", "its target 'Files' is a directory")]
    [TestCase("Files/round", "leads back to itself")]
    [TestCase(Vm + "l", "leads back to itself")]
    [TestCase("Files/../x", "'.' or '..'")]
    [TestCase("/x", "is absolute")]
    public void Links_to_nothing_good_are_refused(string target, string why)
    {
        var wrong = Fails(new TarBuilder()
            .Add(Vm + "f")
            .Add(Vm + "l", '1', link: target)
            .Add("Files/d/", '5')
            .Add("Files/dangling", '1', link: "Files/gone")
            .Add("Files/round", '1', link: "Files/trip")
            .Add("Files/trip", '1', link: "Files/round"));
        Assert.That(wrong.Message, Does.Contain(why).And.StartsWith(@"entry 'UtilityVM\Files\l' at offset 512: "));
        Assert.That(wrong.TarOffset, Is.EqualTo(512));
    }

    [Test]
    public void What_no_boot_cim_can_have_is_refused()
    {
        Assert.That(Fails(new TarBuilder().Add(Vm + ".wh.x")).Message, Does.Contain("a whiteout").And.Contain("base layer"));
        Assert.That(Fails(new TarBuilder().Add(Vm + "d/.wh..wh..opq")).Message, Does.Contain("a whiteout"));
        Assert.That(Fails(new TarBuilder().Add(Vm + "../../x")).Message, Does.Contain("'.' or '..'"));
        Assert.That(Fails(new TarBuilder().Add(Vm + "dev", '3')).Message, Does.Contain("not supported on Windows"));
        Assert.That(Fails(new TarBuilder().Add(Vm + "a").Add(Vm + "a/b")).Message, Does.Contain("not a directory"));
        Assert.That(Fails(new TarBuilder().Add(Vm + "a").Add(Vm + "b:s")).Message, Does.Contain("does not follow its file"));
        Assert.That(Fails(new TarBuilder().Add("UtilityVM/Files")).Message, Does.Contain("is not a directory"));
    }

    [Test]
    public void Layers_without_a_utility_vm_are_refused()
    {
        foreach (var tar in new[] { new TarBuilder().Add("Files/x"), new TarBuilder().Add("UtilityVM/Files/", '5'), new TarBuilder() })
        {
            var wrong = Fails(tar);
            Assert.That((wrong.Message, wrong.TarOffset), Is.EqualTo((@"the layer has no files in 'UtilityVM\Files': only base layers with a utility VM do", (long?)null)));
        }
    }

    [Test]
    public void A_tar_that_changed_since_it_was_planned_is_refused()
    {
        using var first = new TarBuilder().Add(Vm + "a").Add(Vm + "b").End().ToStream();
        using var second = new TarBuilder().Add(Vm + "a").End().ToStream();
        using var image = new RecordingCimWriter();
        var plan = UtilityVmPlan.Read(first, new InputLimits(), default);
        Assert.That(() => UtilityVmImport.Run(second, image, plan, default), Throws.TypeOf<InvalidDataException>().With.Message.Contain("changed"));
    }

    [Test]
    public void It_stops_when_cancelled()
    {
        using var tar = new TarBuilder().Add(Vm + "a").End().ToStream();
        Assert.That(() => UtilityVmPlan.Read(tar, new InputLimits(), new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Memory_does_not_grow_with_the_size_of_files()
    {
        const int size = 16 << 20;
        using var image = new RecordingCimWriter();
        using var tar = new TarBuilder().Add("Files/big", data: new byte[size]).Add(Vm + "l", '1', link: "Files/big").End().ToStream();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var plan = UtilityVmPlan.Read(tar, new InputLimits(), default);
        tar.Position = 0;
        UtilityVmImport.Run(tar, image, plan, default);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(size / 8));
    }

    private static LayerImportException Fails(TarBuilder tar) => Assert.Throws<LayerImportException>(() => Calls(tar))!;

    private static string[] Calls(TarBuilder builder)
    {
        using var tar = builder.End().ToStream();
        using var image = new RecordingCimWriter();
        var plan = UtilityVmPlan.Read(tar, new InputLimits(), default);
        tar.Position = 0;
        UtilityVmImport.Run(tar, image, plan, default);
        return LayerImportHarness.Summaries(image);
    }
}
