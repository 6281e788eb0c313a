using System.Text;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Tests.Formats.Tar;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using static CimConvert.Tests.Layers.LayerImportHarness;

namespace CimConvert.Tests.Layers;

/// <summary>What each kind of entry becomes, in which order, where the recorded layers do not say it.</summary>
internal sealed class LayerImportTests
{
    private const string Config = "Files/Windows/System32/config/";

    [Test]
    public void Small_files_with_streams_arrive_whole_with_or_without_the_type()
    {
        // hcsshim refuses both: a stream behind a small file, and one named as go-winio's backuptar names it.
        var calls = Child(new TarBuilder()
            .Add("Files/a.txt", data: "x"u8.ToArray())
            .Add("Files/a.txt:one", data: "12"u8.ToArray())
            .Add("Files/A.TXT:two:$DATA", data: "345"u8.ToArray())
            .Add("Files/a.txt:three:$data"));
        Assert.That(calls, Is.EqualTo(new[]
        {
            @"file Files\a.txt 1", @"stream Files\a.txt:one:$DATA 2", @"stream Files\a.txt:two:$DATA 3", @"stream Files\a.txt:three:$DATA 0",
        }));
    }

    [Test]
    public void Directories_have_streams_too() =>
        Assert.That(Child(new TarBuilder().Add("Files/d/", '5').Add("Files/d:s", data: new byte[3])), Is.EqualTo(new[] { @"file Files\d 0", @"stream Files\d:s:$DATA 3" }));

    [Test]
    public void A_stream_may_follow_its_file_past_links_and_whiteouts()
    {
        var calls = Child(new TarBuilder().Add("Files/a").Add("Files/.wh.x").Add("Files/l", '1', link: "Files/a").Add("Files/a:s"));
        Assert.That(calls, Is.EqualTo(new[] { @"file Files\a 0", @"gone Files\x", @"stream Files\a:s:$DATA 0", @"hard Files\l Files\a" }));
    }

    [TestCase("Files/b:s", "does not follow its file; the last file is 'Files\\a'")]
    [TestCase("Files/a:s:$INDEX_ALLOCATION", "a type other than $DATA")]
    [TestCase("Files/a:s:t:$DATA", "a type other than $DATA")]
    [TestCase("Files/a:", "stream name")]
    [TestCase("Files/a::$DATA", "stream name")]
    [TestCase("Files:x/a", "':'")]
    public void Streams_that_make_no_sense_are_refused(string name, string why)
    {
        var wrong = Fails(new TarBuilder().Add("Files/a").Add(name));
        Assert.That(wrong.Message, Does.Contain(why).And.StartsWith($@"entry '{name.Replace('/', '\\')}' at offset 512: "));
        Assert.That((wrong.EntryName, wrong.TarOffset), Is.EqualTo((name, 512)));
    }

    [Test]
    public void Whiteouts_remove_at_once_and_opaque_ones_hide_a_directory()
    {
        var calls = Child(new TarBuilder()
            .Add("Files/d/.wh..wh..opq")
            .Add("Files/d/x")
            .Add("Files/d/.wh.x")
            .Add("Files/d/.wh.y")
            .Add("Files/d/y"));
        Assert.That(calls, Is.EqualTo(new[] { @"opaque Files\d", @"file Files\d\x 0", @"gone Files\d\x", @"gone Files\d\y", @"file Files\d\y 0" }));
    }

    [Test]
    public void Standard_files_wait_under_any_spelling_and_are_staged_under_their_own()
    {
        using var folder = new LayerFolder();
        var (calls, result) = Import(new TarBuilder()
            .Add("files/windows/SYSTEM32/Config/system", data: "sys"u8.ToArray())
            .Add("utilityvm/files/efi/microsoft/boot/bcd", data: "bcd"u8.ToArray())
            .Add("HIVES/sam_delta", data: "sam"u8.ToArray())
            .Add("Files/last"), isBase: false, folder);
        Assert.That(calls, Is.EqualTo(new[]
        {
            @"file Files\last 0", @"file files\windows\SYSTEM32\Config\system 3", @"file utilityvm\files\efi\microsoft\boot\bcd 3", @"file HIVES\sam_delta 3",
        }));
        Assert.That(folder.Everything, Is.EqualTo(new[] { "Hives", "Hives/SAM_DELTA" }));
        Assert.That(folder.Read("Hives/SAM_DELTA"), Is.EqualTo("sam"u8.ToArray()));
        Assert.That(result.DeltaHives.Select(hive => hive.Name), Is.EqualTo(new[] { "SAM" }));
    }

    [Test]
    public void Of_a_base_layer_the_hives_stay_as_bases()
    {
        using var folder = new LayerFolder();
        var (calls, _) = Import(BaseTar().Add("Hives/", '5').Add("Files/x"), isBase: true, folder);
        Assert.That(calls[^7..], Is.EqualTo(new[]
        {
            @"file Hives 0",
            @"hard Hives\SYSTEM_BASE Files\Windows\System32\config\SYSTEM",
            @"hard Hives\SOFTWARE_BASE Files\Windows\System32\config\SOFTWARE",
            @"hard Hives\SAM_BASE Files\Windows\System32\config\SAM",
            @"hard Hives\SECURITY_BASE Files\Windows\System32\config\SECURITY",
            @"hard Hives\DEFAULTUSER_BASE Files\Windows\System32\config\DEFAULT",
            "file layout 15",
        }));
        Assert.That(folder.Files, Has.Length.EqualTo(5));
        foreach (var hive in RegistryHive.All)
        {
            Assert.That(File.ReadAllText(hive.BaseFile(folder.Path)), Is.EqualTo(hive.Name));
        }
    }

    [Test]
    public void A_base_layer_without_hives_names_them()
    {
        var wrong = Fails(BaseTar("SAM", "SYSTEM"), isBase: true);
        Assert.That(wrong.Message, Does.Contain(@"config\SYSTEM, Files\Windows\System32\config\SAM").And.Not.Contain("SECURITY"));
        Assert.That(wrong.TarOffset, Is.Null);
    }

    [Test]
    public void Users_files_beside_the_image_are_left_alone()
    {
        using var folder = new LayerFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "Files", "mine"));
        File.WriteAllText(Path.Combine(folder.Path, "Files", "mine", "notes"), "");
        Import(BaseTar(), isBase: true, folder);
        Assert.That(folder.Files, Does.Contain("Files/mine/notes").And.Length.EqualTo(6));
    }

    [Test]
    public void Leftovers_of_a_killed_import_are_written_over()
    {
        using var folder = new LayerFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, Config));
        File.WriteAllText(Path.Combine(folder.Path, Config, "SYSTEM"), "something much longer");
        Directory.CreateDirectory(Path.Combine(folder.Path, "Hives"));
        File.WriteAllText(Path.Combine(folder.Path, "Hives", "SYSTEM_BASE"), "old");
        Import(BaseTar(), isBase: true, folder);
        Assert.That(folder.Read("Hives/SYSTEM_BASE"), Is.EqualTo("SYSTEM"u8.ToArray()));
        Assert.That(folder.Files, Has.Length.EqualTo(5));
    }

    [Test]
    public void A_failing_image_leaves_nothing_on_disk([Range(0, 12)] int failAt)
    {
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter { FailAt = failAt };
        using var tar = BaseTar().End().ToStream();
        Assert.That(
            () => LayerImport.Import(tar, image, new LayerImportOptions { IsBase = true, LayerFolder = folder.Path }, default),
            Throws.TypeOf<IOException>());
        Assert.That(folder.Everything, Is.Empty);
    }

    [Test]
    public void A_cut_tar_leaves_nothing_on_disk()
    {
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var tar = new MemoryStream(BaseTar().ToArray()[..^600]);
        Assert.That(() => LayerImport.Import(tar, image, new LayerImportOptions { IsBase = true, LayerFolder = folder.Path }, default), Throws.TypeOf<InvalidDataException>());
        Assert.That(folder.Everything, Is.Empty);
    }

    [Test]
    public void A_cancelled_import_stops_and_cleans_up()
    {
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var tar = BaseTar().End().ToStream();
        Assert.That(
            () => LayerImport.Import(tar, image, new LayerImportOptions { IsBase = true, LayerFolder = folder.Path }, new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That((image.Lines.Count, folder.Everything.Length), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Utility_vm_files_of_child_layers_are_kept_with_one_warning()
    {
        var log = new CountingLogger();
        var (calls, _) = Import(new TarBuilder().Add("UtilityVM/", '5').Add("UtilityVM/Files/x").Add("UtilityVM/Files/y"), isBase: false, logger: log);
        Assert.That((calls.Length, log.Warnings), Is.EqualTo((3, 1)));
        log = new CountingLogger();
        Import(BaseTar().Add("UtilityVM/Files/x").Add("UtilityVMs/x"), isBase: true, logger: log);
        Import(new TarBuilder().Add("UtilityVMs/x"), isBase: false, logger: log);
        Assert.That(log.Warnings, Is.Zero);
    }

    [Test]
    public void Size_counts_regular_files_only()
    {
        var (_, result) = Import(new TarBuilder()
            .Add("Files/", '5')
            .Add("Files/a", data: new byte[1000])
            .Add("Files/a:s", data: new byte[50])
            .Add("Hives/SAM_DELTA", data: new byte[24])
            .Add("Files/l", '2', link: "a")
            .Add("Files/h", '1', link: "Files/a")
            .Add("Files/.wh.w", data: new byte[9]), isBase: false);
        Assert.That((result.Size, result.Entries), Is.EqualTo((1024L, 7L)));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Memory_does_not_grow_with_the_size_of_files()
    {
        const int size = 16 << 20;
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var tar = new TarBuilder().Add("Files/big", data: new byte[size]).Add("Hives/SOFTWARE_DELTA", data: new byte[size]).End().ToStream();
        var before = GC.GetAllocatedBytesForCurrentThread();
        LayerImport.Import(tar, image, new LayerImportOptions { IsBase = false, LayerFolder = folder.Path }, default);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(size / 8));
    }

    [Test]
    public void Other_top_level_names_and_missing_parents_are_no_matter() =>
        Assert.That(Child(new TarBuilder().Add("./", '5').Add("./Other/deep/file").Add("Other/", '5')), Is.EqualTo(new[] { @"file Other\deep\file 0", "file Other 0" }));

    [Test]
    public void Symlinks_with_slashes_and_names_with_backslashes_read_as_windows_means_them()
    {
        using var folder = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var tar = new TarBuilder().Add(@"Files\d\l", '2', link: "../x/y").End().ToStream();
        LayerImport.Import(tar, image, new LayerImportOptions { IsBase = false, LayerFolder = folder.Path }, default);
        Assert.That(image.Lines[0], Does.Contain(@"Files\\d\\l").And.Contain(Convert.ToHexStringLower(Encoding.Unicode.GetBytes(@"..\x\y"))));
    }

    private sealed class CountingLogger : ILogger
    {
        public int Warnings { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Warnings += logLevel == LogLevel.Warning ? 1 : 0;
    }
}
