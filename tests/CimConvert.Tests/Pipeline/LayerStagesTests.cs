using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

public class LayerStagesTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Two processes, each with a layer that the other needs next: the one with the middle layer must seal it without waiting for the
    /// top layer, which the other has.
    /// </summary>
    [Test]
    public async Task A_layer_is_sealed_once_its_parent_came_from_another_process_whatever_else_is_waited_for()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(folder.Sub("image"), HiveImage.Base(), HiveImage.Without("middle"), HiveImage.Without("top"));
        var elsewhere = (await registry.ConvertAsync(folder["elsewhere"])).Layers.Select(layer => layer.Layer.ChainId).ToArray();
        var store = ConversionStore.Open(folder["store"]);
        var (bottom, middle, top) = (elsewhere[0], elsewhere[1], elsewhere[2]);
        var bottomClaim = await store.Ingest.ClaimAsync(bottom, default);
        using var topClaim = await store.Ingest.ClaimAsync(top, default);

        var conversion = registry.ConvertAsync(folder["store"], concurrency: 3);
        await UntilAsync(() => Directory.Exists(Path.Combine(folder["store"], "ingest", middle.Hex)));
        CopyFolder(ConversionStore.OpenExisting(folder["elsewhere"]).LayerFolder(bottom), store.LayerFolder(bottom));
        bottomClaim.Dispose();

        await UntilAsync(() => store.FindLayer(middle) is not null);
        Assert.That(conversion.IsCompleted, Is.False);
        topClaim.Dispose();
        Assert.That((await conversion.WaitAsync(s_patience)).Layers.Select(layer => layer.Reused), Is.EqualTo(new[] { true, false, false }));
    }

    /// <summary>
    /// Of two processes one has the middle layer, and a single import, which waits for the top layer; the other has the top layer, and
    /// needs the middle one next. The first must notice meanwhile that the bottom layer has come into the store.
    /// </summary>
    [Test]
    public async Task A_layer_is_sealed_once_its_parent_came_from_another_process_while_all_imports_wait()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(folder.Sub("image"), HiveImage.Base(), Sized(40_000), Sized(20_000));
        var elsewhere = (await registry.ConvertAsync(folder["elsewhere"])).Layers.Select(layer => layer.Layer.ChainId).ToArray();
        var store = ConversionStore.Open(folder["store"]);
        var (bottom, middle, top) = (elsewhere[0], elsewhere[1], elsewhere[2]);
        using var topClaim = await store.Ingest.ClaimAsync(top, default);

        using var log = new LogLines();
        var conversion = registry.ConvertAsync(folder["store"], concurrency: 1, logger: log);
        await UntilAsync(() => log.Lines.Any(line => line.Contains("layer 2 of 3", StringComparison.Ordinal) && line.Contains("waits for the layers below", StringComparison.Ordinal)));
        CopyFolder(ConversionStore.OpenExisting(folder["elsewhere"]).LayerFolder(bottom), store.LayerFolder(bottom));

        await UntilAsync(() => store.FindLayer(middle) is not null);
        Assert.That(conversion.IsCompleted, Is.False);
        topClaim.Dispose();
        Assert.That((await conversion.WaitAsync(s_patience)).Layers.Select(layer => layer.Reused), Is.EqualTo(new[] { true, false, false }));
    }

    [Test]
    public async Task The_largest_layers_start_first()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = registry.Serve(folder.Sub("image"), HiveImage.Base(), Sized(20_000), Sized(100), Sized(40_000));

        await registry.ConvertAsync(folder["store"], concurrency: 1);

        var blobs = image.Layers.Select(layer => layer.Digest).ToList();
        var started = registry.Requests.Select(request => blobs.FindIndex(digest => request.Path.EndsWith(digest, StringComparison.Ordinal))).Where(layer => layer >= 0);
        Assert.That(started, Is.EqualTo(new[] { 3, 1, 0, 2 }), string.Join('\n', image.Layers));
    }

    private static LayerBuilder Sized(int size) => new LayerBuilder().Directory("Files").File($"Files/{size}", SeededContent.Bytes(size, size));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(s_patience);
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
