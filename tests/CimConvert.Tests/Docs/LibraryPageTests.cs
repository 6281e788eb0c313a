using System.Text.RegularExpressions;
using CimConvert.Cims;
using CimConvert.Cims.Mounting;
using CimConvert.Formats.Cim;
using CimConvert.Layers;
using CimConvert.Prewarming;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Pipeline;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Docs;

/// <summary>
/// docs/library.md: each of its C# blocks stands here between two marks, where it is compiled and run, and must be the same to the letter.
/// </summary>
public sealed partial class LibraryPageTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public void The_page_has_the_code_that_is_run_here()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "library.md"));
        var here = File.ReadAllText(Path.Combine(Repository.Root, "tests", "CimConvert.Tests", "Docs", "LibraryPageTests.cs"));
        var shown = Block().Matches(page).Select(match => match.Groups["code"].Value).ToArray();
        var run = Region().Matches(here).Select(match => Unindent(match.Groups["code"].Value)).ToArray();
        Assert.That(shown, Is.EqualTo(run).And.Not.Empty);
    }

    [Test]
    public async Task Layers_are_imported_and_merged()
    {
        var folder = _folder.Path;
        var baseTarFile = HiveImage.Base().WriteFile(_folder["base.tar"]);
        var appTarFile = HiveImage.Without("app").WriteFile(_folder["app.tar"]);

        // page: begin
        var baseLayer = new BlockCim(Path.Combine(folder, "base", "layer.bcim"));
        await using (var tar = File.OpenRead(baseTarFile))
        {
            await CimLayer.ImportBlockCimAsync(tar, baseLayer);
        }

        var appLayer = new BlockCim(Path.Combine(folder, "app", "layer.bcim"));
        var options = new BlockCimImportOptions { ParentLayers = [baseLayer], LayerIntegrity = true };
        await using (var tar = File.OpenRead(appTarFile))
        {
            await CimLayer.ImportBlockCimAsync(tar, appLayer, options);
        }

        var merged = new BlockCim(Path.Combine(folder, "app", "merged.bcim"));
        await CimLayer.MergeBlockCimsAsync([appLayer, baseLayer], merged);
        // page: end

        using var cim = OpenCim.Open(merged.BlockFile, null, baseLayer.BlockFile, appLayer.BlockFile);
        Assert.That(cim.Cim.Find(CimPath.Parse(@"Files\app.txt"), out _), Is.Not.Null);
        Assert.That(File.Exists(_folder["app", "integrity_checksum"]), Is.True);
    }

    [Test]
    public void A_layer_is_written_entry_by_entry()
    {
        var baseLayer = Base();
        var folder = _folder.Path;

        // page: begin
        var layer = new BlockCim(Path.Combine(folder, "written", "layer.bcim"));
        using (var writer = CimLayerWriter.Create(layer, new BlockCimImportOptions { ParentLayers = [baseLayer] }))
        {
            var content = "hello"u8;
            var written = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).ToFileTimeUtc();
            writer.Add(CimPath.Parse("Files/hello.txt"), new CimFileMetadata
            {
                Attributes = (uint)System.IO.FileAttributes.Archive,
                Size = content.Length,
                CreationTime = written,
                LastWriteTime = written,
                ChangeTime = written,
                LastAccessTime = written,
            });
            writer.Write(content);
            writer.AddLink(CimPath.Parse("Files/hello again.txt"), CimPath.Parse("Files/hello.txt"));
            writer.Remove(CimPath.Parse("Files/of a lower layer.txt"));
            writer.Close();
        }
        // page: end

        using var cim = OpenCim.Open(layer.BlockFile, cimName: null);
        Assert.That(cim.Cim.Find(CimPath.Parse(@"Files\hello again.txt"), out _)!.Value.Size, Is.EqualTo(5));
        Assert.That(Directory.GetFileSystemEntries(_folder["written"]).Select(Path.GetFileName), Is.EqualTo(new[] { "layer.bcim" }));
    }

    [Test]
    public void A_writer_that_is_not_closed_leaves_nothing()
    {
        using (var writer = CimLayerWriter.Create(new BlockCim(_folder["given up", "layer.bcim"]), new BlockCimImportOptions { ParentLayers = [Base()] }))
        {
            writer.Remove(CimPath.Parse("Files/some"));
        }

        Assert.That(Directory.GetFileSystemEntries(_folder["given up"]), Is.Empty);
    }

    [Test]
    public async Task A_forked_layer_is_found_weighed_and_destroyed()
    {
        var folder = _folder.Path;
        var baseTarFile = HiveImage.Base().WriteFile(_folder["base.tar"]);
        var appTarFile = HiveImage.Without("app").WriteFile(_folder["app.tar"]);

        // page: begin
        var baseFolder = Path.Combine(folder, "base");
        var appFolder = Path.Combine(folder, "app");
        await using (var tar = File.OpenRead(baseTarFile))
        {
            await CimLayer.ImportForkedCimAsync(tar, baseFolder, CimLayer.GetCimPath(baseFolder), parentFolders: [], parentCim: null);
        }

        await using (var tar = File.OpenRead(appTarFile))
        {
            await CimLayer.ImportForkedCimAsync(tar, appFolder, CimLayer.GetCimPath(appFolder), [baseFolder], CimLayer.GetCimPath(baseFolder));
        }

        var usage = CimLayer.GetUsage(CimLayer.GetCimPath(appFolder));
        Console.WriteLine($"{usage.OwnBytes} bytes of its own, {usage.ParentBytes} shared with the layers below");
        CimLayer.Destroy(appFolder);
        // page: end

        Assert.That(usage.ParentBytes, Is.Positive);
        Assert.That((CimLayer.IsCimLayer(appFolder), CimLayer.IsCimLayer(baseFolder), Directory.Exists(appFolder)), Is.EqualTo((false, true, false)));
    }

    [Test]
    public async Task An_image_is_converted()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Without("app"));
        var (image, store) = ($"{registry.Host}/{FakeImage.Repository}:{FakeImage.Tag}", _folder["store"]);

        // page: begin
        using var converter = new ImageConverter(new ImageConverterOptions { UsesDockerLogins = false });
        var progress = new Progress<IReadOnlyList<LayerStatus>>(layers =>
            Console.WriteLine(string.Join(", ", layers.Select(layer => $"{layer.Stage} {layer.Downloaded} of {layer.Size}"))));
        var converted = await converter.ConvertAsync(image, store, new ImageConversionOptions { LayerIntegrity = true }, progress);
        Console.WriteLine($"{converted.ManifestDigest}: {converted.Layers.Count} layers, merged in {converted.MergedCim}");
        // page: end

        Assert.That(converted.Layers.Select(layer => (File.Exists(layer.Path), layer.IsReused)), Is.EqualTo(new[] { (true, false), (true, false) }));
        Assert.That(File.Exists(converted.MergedCim), Is.True);
        Assert.That((await converter.ConvertAsync(image, store, new ImageConversionOptions { LayerIntegrity = true })).Layers.Select(layer => layer.IsReused), Is.All.True);
    }

    [Test]
    public async Task A_converted_image_is_pulled()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Without("app"));
        var (image, store) = ($"{registry.Host}/{FakeImage.Repository}:{FakeImage.Tag}", _folder["store"]);
        using var converter = new ImageConverter(new ImageConverterOptions { UsesDockerLogins = false });
        var converted = await converter.ConvertAsync(
            image, _folder["converted"], new ImageConversionOptions { Push = $"{registry.Host}/{FakeImage.Repository}:cim", Subject = true });

        // page: begin
        var pulled = await converter.PullAsync(image, store, new ImagePullOptions { From = "registry.example.com/converted/{repository}:{tag}" });
        Console.WriteLine($"{pulled.ManifestDigest}: {pulled.BytesDownloaded} bytes downloaded");
        // page: end

        Assert.That(pulled.ManifestDigest, Is.EqualTo(converted.ManifestDigest));
        Assert.That(pulled.Layers.Select(layer => layer.IsReused), Is.All.False);
    }

    [Test]
    public async Task A_list_is_prewarmed()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Without("app"));
        var (listFile, store) = (_folder["list.yaml"], _folder["store"]);
        await File.WriteAllTextAsync(listFile, $"images: [{registry.Host}/{FakeImage.Repository}:{FakeImage.Tag}, {registry.Host}/none:v1]\n");
        using var converter = new ImageConverter(new ImageConverterOptions { UsesDockerLogins = false });

        // page: begin
        foreach (var image in await converter.PrewarmAsync(listFile, store))
        {
            Console.WriteLine($"{image.Image}: {image.Outcome} {image.Error}");
        }
        // page: end

        var again = await converter.PrewarmAsync(listFile, store);
        Assert.That(again.Select(image => image.Outcome), Is.EqualTo(new[] { PrewarmOutcome.Ready, PrewarmOutcome.Failed }));
    }

    [Test]
    public void What_the_machine_cannot_is_said()
    {
        var merged = new BlockCim(_folder["merged.bcim"]);
        BlockCim[] sources = [new BlockCim(_folder["app.bcim"]), new BlockCim(_folder["base.bcim"])];

        // page: begin
        if (CimSupport.CanMountBlockCims(out var reason))
        {
            var volume = CimMount.Mount(merged.BlockFile, sources);
            Console.WriteLine($"mounted as {volume}");
            CimMount.Dismount(volume);
        }
        else
        {
            Console.WriteLine($"block CIMs cannot be mounted here: {reason}");
        }
        // page: end

        Assert.That(reason, Does.Contain("this is not Windows"));
        Assert.That(() => CimMount.Mount(merged.BlockFile, sources), Throws.TypeOf<ConversionException>().With.Message.Contains(reason));
        Assert.That(CimSupport.CanWriteBlockCims(out _) || CimSupport.CanWriteVerifiedCims(out _) || CimSupport.CanWriteForkedCims(out _), Is.False);
        Assert.That(CimSupport.CanMountVerifiedCims(out _) || CimSupport.CanMountForkedCims(out _), Is.False);
    }

    private BlockCim Base()
    {
        var layer = new BlockCim(_folder["base", "layer.bcim"]);
        using var tar = File.OpenRead(HiveImage.Base().WriteFile(_folder["base.tar"]));
        CimLayer.ImportSingleFileCimAsync(tar, layer, parentLayers: []).GetAwaiter().GetResult();
        return layer;
    }

    private static string Unindent(string code) => string.Join('\n', code.Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line));

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Block();

    [GeneratedRegex(@"^        // page: begin\n(?<code>.*?)^        // page: end$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Region();
}
