using CimConvert.Layers;
using CimConvert.Layers.UtilityVm;
using CimConvert.Tests.Formats.Tar;
using NUnit.Framework;
using static CimConvert.Tests.Layers.LayerImportHarness;

namespace CimConvert.Tests.Layers;

/// <summary>What one layer may take, on both sides of every limit.</summary>
internal sealed class LayerLimitsTests
{
    private const string TooMany = "--max-entries allows more";

    [Test]
    public void Entries_are_counted_with_the_directories_above_them()
    {
        Assert.That(Imports(4, tar => tar.Add("a/b/c").Add("a/b/d")), Is.Null);
        Assert.That(Imports(3, tar => tar.Add("a/b/c").Add("a/b/d")), Does.Contain(TooMany).And.Contain(@"'a\b\d' at offset 512"));
    }

    [Test]
    public void A_name_that_comes_again_counts_again()
    {
        Assert.That(Imports(3, tar => tar.Add("a").Add("A").Add("a")), Is.Null);
        Assert.That(Imports(2, tar => tar.Add("a").Add("A").Add("a")), Does.Contain(TooMany));
    }

    [Test]
    public void Streams_links_and_whiteouts_count()
    {
        Assert.That(Imports(2, tar => tar.Add("a").Add("a:s")), Is.Null);
        Assert.That(Imports(1, tar => tar.Add("a").Add("a:s")), Does.Contain(TooMany));
        Assert.That(Imports(2, tar => tar.Add("a").Add("b", '1', link: "a")), Is.Null);
        Assert.That(Imports(1, tar => tar.Add("a").Add("b", '1', link: "a")), Does.Contain(TooMany));
        Assert.That(Imports(3, tar => tar.Add("a/b/.wh.c")), Is.Null);
        Assert.That(Imports(2, tar => tar.Add("a/b/.wh.c")), Does.Contain(TooMany));
        Assert.That(Imports(2, tar => tar.Add("a/b/.wh..wh..opq")), Is.Null);
        Assert.That(Imports(1, tar => tar.Add("a/b/.wh..wh..opq")), Does.Contain(TooMany));
    }

    [Test]
    public void Names_are_counted_by_their_length()
    {
        const int room = 2 * InputLimits.NameUnitsPerEntry;
        Assert.That(Imports(2, tar => tar.Add(new string('x', room / 2)).Add(new string('y', room / 2))), Is.Null);
        Assert.That(Imports(2, tar => tar.Add(new string('x', room / 2)).Add(new string('y', (room / 2) + 1))), Does.Contain("UTF-16 units"));
        Assert.That(Imports(2, tar => tar.Add("a", '1', link: new string('x', room - 1))), Is.Null);
        Assert.That(Imports(2, tar => tar.Add("ab", '1', link: new string('x', room - 1))), Does.Contain("UTF-16 units"));
    }

    [Test]
    public void A_path_of_thousands_of_directories_is_refused_before_they_are_made()
    {
        Assert.That(Imports(InputLimits.DefaultEntries, tar => tar.Add(Deep(InputLimits.MaxDepth))), Is.Null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(Imports(InputLimits.DefaultEntries, tar => tar.Add(Deep(16_000))), Does.Contain("levels deep"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20));
        foreach (var deep in (string[])[Deep(InputLimits.MaxDepth + 1), Deep(InputLimits.MaxDepth) + "/.wh.x", Deep(InputLimits.MaxDepth + 1) + "/.wh..wh..opq"])
        {
            Assert.That(Imports(InputLimits.DefaultEntries, tar => tar.Add(deep)), Does.Contain($"more than {InputLimits.MaxDepth}"));
        }
    }

    [Test]
    public void The_plan_of_a_utility_vm_counts_too()
    {
        var layer = new TarBuilder().Add("UtilityVM/Files/a").Add("UtilityVM/Files/b", '1', link: "UtilityVM/Files/a").End();
        Assert.That(() => UtilityVmPlan.Read(layer.ToStream(), new InputLimits { MaxEntries = 4 }, default), Throws.Nothing);
        Assert.That(
            () => UtilityVmPlan.Read(layer.ToStream(), new InputLimits { MaxEntries = 3 }, default),
            Throws.TypeOf<LayerImportException>().With.Message.Contains(TooMany));
    }

    [TestCase(100, 0, null)]
    [TestCase(101, 101, "--max-layer-size")]
    public void A_tar_has_a_longest_length(long tar, long compressed, string? why) => Judge(new InputLimits { MaxLayerSize = 100 }, tar, compressed, why);

    [TestCase(InputLimits.SizeAlwaysAllowed, 0, null)]
    [TestCase(InputLimits.SizeAlwaysAllowed + 1, InputLimits.SizeAlwaysAllowed / 10, null)]
    [TestCase(InputLimits.SizeAlwaysAllowed + 1, (InputLimits.SizeAlwaysAllowed / 10) - 1, "--max-expansion")]
    public void What_a_byte_may_become_is_asked_of_large_tars_only(long tar, long compressed, string? why) =>
        Judge(new InputLimits { MaxExpansion = 10 }, tar, compressed, why);

    [Test]
    public void No_gzip_expands_further_than_is_allowed()
    {
        // 258 bytes a match, of one bit for its length and one for its distance.
        const long compressed = 10_000_000;
        Judge(new InputLimits(), compressed * 1032, compressed, why: null);
        Judge(new InputLimits(), compressed * 1101, compressed, "--max-expansion");
    }

    [TestCase("0", "at least 1 byte")]
    [TestCase("lots", "is no size")]
    public void A_layer_size_is_a_size_and_not_nothing(string text, string why) =>
        Assert.That(() => InputLimits.ParseLayerSize(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains(why));

    [Test]
    public void Names_that_only_the_runtime_takes_for_the_same_are_two()
    {
        // Georgian letters have had upper case since Unicode 11; NTFS' table, and with it a CIM, knows none.
        const string small = "\u10d0";
        const string capital = "\u1c90";
        Assert.That(string.Equals(small, capital, StringComparison.OrdinalIgnoreCase), Is.True, "else this shows nothing");
        var calls = Child(new TarBuilder().Add("x").Add(small, '1', link: "x").Add(capital));
        Assert.That(calls, Is.EqualTo(new[] { "file x 0", $"file {capital} 0", $"hard {small} x" }), "the file does not make the link void");
        Assert.That(Fails(new TarBuilder().Add(small).Add(capital + ":s")).Message, Does.Contain("does not follow its file"));
    }

    [TestCase("\u017fAM", Description = "long s, which upcases to S elsewhere")]
    [TestCase("S\u0251M")]
    [TestCase("\uff33\uff21\uff2d", Description = "full width")]
    [TestCase("SAM ")]
    [TestCase("SAM.")]
    public void A_name_that_only_looks_like_a_standard_files_is_none(string name) =>
        Assert.That(Child(new TarBuilder().Add($"Files/Windows/System32/config/{name}")), Is.EqualTo(new[] { $@"file Files\Windows\System32\config\{name} 0" }));

    private static string Deep(int levels) => string.Join('/', Enumerable.Repeat("d", levels));

    /// <summary>Why a child layer is refused; null where it is imported.</summary>
    private static string? Imports(int entries, Action<TarBuilder> build)
    {
        var tar = new TarBuilder();
        build(tar);
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var stream = tar.End().ToStream();
        var options = new LayerImportOptions { IsBase = false, LayerFolder = folder.Path, Limits = new InputLimits { MaxEntries = entries } };
        try
        {
            LayerImport.Import(stream, image, options, default);
            return null;
        }
        catch (LayerImportException e)
        {
            return e.Message;
        }
    }

    private static void Judge(InputLimits limits, long tar, long compressed, string? why)
    {
        if (why is null)
        {
            Assert.That(() => limits.CheckSize(tar, compressed), Throws.Nothing);
        }
        else
        {
            Assert.That(() => limits.CheckSize(tar, compressed), Throws.TypeOf<LayerImportException>().With.Message.Contains(why));
        }
    }
}
