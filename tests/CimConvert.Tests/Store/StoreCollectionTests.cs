using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

internal sealed class StoreCollectionTests : IDisposable
{
    private static readonly TimeSpan s_month = TimeSpan.FromDays(30);
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder = new();
    private readonly ConversionStore _store;

    public StoreCollectionTests() => _store = ConversionStore.Open(_folder["store"]);

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Of_what_images_need_nothing_goes()
    {
        await StoredImages.AddAsync(_store, "host/a:1", "base", "a");
        await StoredImages.AddAsync(_store, "host/b:1", "base", "b", "c");
        await StoredImages.AddAsync(_store, "host/c:1", "base");
        var before = StoreFiles.Snapshot(_store.Root);

        var result = await CollectAsync(new());

        Assert.That((result.Freed, result.Problems.Count), Is.EqualTo((0L, 0)));
        Assert.That(StoreFiles.Snapshot(_store.Root), Is.EqualTo(before));
    }

    [Test]
    public async Task What_only_a_removed_image_needed_goes_and_what_others_share_stays([Values] bool dryRun)
    {
        await StoredImages.AddAsync(_store, "host/b:1", "base", "b");
        var alone = StoreFiles.Snapshot(_store.Root);
        var old = await StoredImages.AddAsync(_store, "host/a:1", "base", "a", "top");
        StoredImages.Age(_store, old, s_month + s_minute);
        var both = StoreFiles.Snapshot(_store.Root);
        var size = new FileInfo(_store.BlobPath(old.Digest)).Length + StoredImages.Chain("base", "a", "top").Skip(1).Sum(FolderSize);

        var result = await CollectAsync(new() { OlderThan = s_month, DryRun = dryRun });

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Images.Select(image => image.Reference), Is.EqualTo(new[] { "host/a:1" }));
            Assert.That(result.Layers, Is.EqualTo(StoredImages.Chain("base", "a", "top").Skip(1).Reverse()));
            Assert.That(result.Merged, Is.Empty);
            Assert.That(result.Blobs, Has.Count.EqualTo(4));
            Assert.That(result.Freed, Is.EqualTo(size), "a layer and its blob are one file here");
            Assert.That(result.Problems, Is.Empty);
            Assert.That(StoreFiles.Snapshot(_store.Root), Is.EqualTo(dryRun ? both : alone));
        }
    }

    [Test]
    public async Task Of_an_image_on_top_of_another_the_lower_ones_merged_cim_goes()
    {
        await StoredImages.AddAsync(_store, "host/upper:1", "base", "middle", "top");
        var alone = StoreFiles.Snapshot(_store.Root);
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/lower:1", "base", "middle"), s_month + s_minute);
        var middle = StoredImages.Chain("base", "middle")[1];
        Assert.That(_store.FindLayer(middle)!.Merged, Is.Not.Null);

        var result = await CollectAsync(new() { OlderThan = s_month });

        Assert.That(result.Merged, Is.EqualTo(new[] { middle }));
        Assert.That(StoreFiles.Snapshot(_store.Root), Is.EqualTo(alone));
        Assert.That(Verify(), Is.Empty);
    }

    [Test]
    public async Task Age_is_counted_to_the_minute_and_kept_images_have_none()
    {
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/win/young:1", "a"), s_month - s_minute);
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/win/old:1", "b"), s_month + s_minute);
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/win/kept:1", "c"), s_month + s_minute);
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/lin/kept:2", "d"), s_month + s_minute);

        var result = await CollectAsync(new() { OlderThan = s_month, Keep = ["host/lin/*", "host/win/kept:1"] });

        Assert.That(result.Images.Select(image => image.Reference), Is.EqualTo(new[] { "host/win/old:1" }));
        Assert.That(_store.Images().Select(image => image.Reference), Is.EqualTo(new[] { "host/lin/kept:2", "host/win/kept:1", "host/win/young:1" }));
    }

    [Test]
    public async Task Versions_of_a_name_are_images_each_and_a_kept_name_keeps_all()
    {
        string[] versions = ["10.0.17763.1", "10.0.20348.1", "10.0.26100.1"];
        foreach (var version in versions)
        {
            await StoredImages.AddVersionAsync(_store, "host/a:1", version, "base " + version, "app");
        }

        var before = StoreFiles.Snapshot(_store.Root);
        Assert.That((await CollectAsync(new())).Freed, Is.Zero);
        Assert.That(StoreFiles.Snapshot(_store.Root), Is.EqualTo(before));
        foreach (var image in _store.Images().Take(2))
        {
            StoredImages.Age(_store, image.Manifest, s_month + s_minute);
        }

        Assert.That((await CollectAsync(new() { OlderThan = s_month, Keep = ["host/a:1"] })).Images, Is.Empty);
        var result = await CollectAsync(new() { OlderThan = s_month });

        Assert.That(
            result.Images.Select(image => image.Name), Is.EqualTo(new[] { "host/a:1 (windows/amd64 10.0.17763.1)", "host/a:1 (windows/amd64 10.0.20348.1)" }));
        Assert.That(result.Layers, Has.Count.EqualTo(4));
        Assert.That(_store.Images().Single().Manifest.Platform!.OsVersion, Is.EqualTo(versions[2]));
        Assert.That(Verify(), Is.Empty);
    }

    [Test]
    public async Task The_least_recently_used_go_until_the_rest_fits()
    {
        foreach (var (i, name) in new[] { "b", "a", "c" }.Index())
        {
            StoredImages.Age(_store, await StoredImages.AddAsync(_store, $"host/{name}:1", "base", name), TimeSpan.FromDays(10 - i));
        }

        var all = (await CollectAsync(new())).Remaining;
        Assert.That((await CollectAsync(new() { MaxSize = all })).Images, Is.Empty);
        Assert.That((await CollectAsync(new() { MaxSize = all - 1 })).Images.Select(image => image.Reference), Is.EqualTo(new[] { "host/b:1" }));

        var kept = await CollectAsync(new() { MaxSize = 0, Keep = ["host/a:1"] });
        Assert.That(kept.Images.Select(image => image.Reference), Is.EqualTo(new[] { "host/c:1" }));
        Assert.That(kept.Problems, Has.One.Contains($"{kept.Remaining} bytes stay"));
        Assert.That(Verify(), Is.Empty);

        var none = await CollectAsync(new() { MaxSize = 0 });
        Assert.That((none.Images.Single().Reference, none.Remaining, none.Problems.Count), Is.EqualTo(("host/a:1", 0L, 0)));
        Assert.That(StoreFiles.Relative(_store.Root), Is.EquivalentTo(new[] { "index.json", "oci-layout" }));
    }

    [Test]
    public async Task A_stamp_of_the_future_is_one_of_now()
    {
        var ahead = await StoredImages.AddAsync(_store, "host/ahead:1", "a");
        var now = await StoredImages.AddAsync(_store, "host/old:1", "b");
        StoredImages.Age(_store, ahead, -TimeSpan.FromDays(1000));
        StoredImages.Age(_store, now, s_minute);

        var result = await CollectAsync(new() { OlderThan = s_month, MaxSize = StoredImages.LayerSize * 3 / 2 });

        Assert.That(result.Images.Select(image => image.Reference), Is.EqualTo(new[] { "host/old:1" }));
        Assert.That(
            File.GetLastWriteTimeUtc(_store.BlobPath(ahead.Digest)),
            Is.LessThanOrEqualTo(TimeProvider.System.GetUtcNow().UtcDateTime), "else it would never age");
    }

    [Test]
    public async Task What_a_living_lease_names_stays_and_goes_with_it()
    {
        var layers = await StoredImages.AddLayersAsync(_store, "base", "a");
        _store.LinkBlob(layers[0].CimFile, layers[0].Record.Cim.Digest);
        StoredImages.Age(_store, await StoredImages.AddAsync(_store, "host/used:1", "base", "b"), s_month * 2);
        _folder.Write(Path.Combine("store", "ingest", "77-1.lease"), System.Text.Encoding.ASCII.GetBytes(StoredImages.Chain("other")[0].ToString()));
        await StoredImages.AddLayersAsync(_store, "other");
        using (await _store.UseAsync(StoredImages.Chain("base", "a"), CancellationToken.None))
        using (await _store.UseAsync(StoredImages.Chain("base", "b"), CancellationToken.None))
        {
            var result = await CollectAsync(new() { OlderThan = s_month, MaxSize = 0 });
            Assert.That(result.Layers, Is.EqualTo(StoredImages.Chain("other")), "the lease of a dead process is none");
            Assert.That((result.Images.Count, result.Merged.Count, result.Blobs.Count), Is.EqualTo((0, 0, 0)));
            Assert.That(result.Leftovers, Is.EqualTo(new[] { "77-1.lease" }));
        }

        Assert.That((await CollectAsync(new() { OlderThan = s_month })).Layers, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task What_cannot_be_removed_stays_with_what_it_needs_and_is_said()
    {
        var layers = await StoredImages.AddLayersAsync(_store, "base", "a", "b");
        await StoredImages.AddLayersAsync(_store, "base", "c");
        using (await _store.Ingest.ClaimAsync(layers[1].ChainId, CancellationToken.None))
        {
            var result = await CollectAsync(new());
            Assert.That(result.Problems, Is.EqualTo(new[] { $"layer {layers[1].ChainId}: another process is working on it" }));
            Assert.That(_store.LayerIds(), Is.EquivalentTo(new[] { layers[0].ChainId, layers[1].ChainId }));
            Assert.That(Verify(), Is.Empty);
        }

        Assert.That((await CollectAsync(new())).Problems, Is.Empty);
        Assert.That(_store.LayerIds(), Is.Empty);
    }

    [Test]
    public async Task Leftovers_go_and_work_does_not([Values] bool dryRun)
    {
        var abandoned = StoredImages.Chain("abandoned")[0].Hex;
        _folder.Write(Path.Combine("store", "ingest", abandoned, "layer.bcim.partial"), new byte[1000]);
        _folder.Write(Path.Combine("store", "ingest", abandoned + ".lock"), []);
        _folder.Write(Path.Combine("store", "ingest", abandoned + ".blob"), new byte[100]);
        _folder.Write(Path.Combine("store", "ingest", "index.json.1-1.tmp"), new byte[10]);
        using var claim = await _store.Ingest.ClaimAsync(StoredImages.Chain("claimed")[0], CancellationToken.None);
        using var download = _store.Ingest.TryOpenPartial(StoredImages.Chain("downloading")[0].Digest)!;
        var before = StoreFiles.Relative(_store.Root);

        var result = await CollectAsync(new() { DryRun = dryRun });

        Assert.That(result.Freed, Is.EqualTo(1110));
        Assert.That(result.Leftovers, Is.EquivalentTo(new[] { abandoned, abandoned + ".lock", abandoned + ".blob", "index.json.1-1.tmp" }));
        Assert.That(StoreFiles.Relative(_store.Root), dryRun ? Is.EqualTo(before) : Has.Count.EqualTo(before.Count - 4));
        Assert.That(claim.Path, Does.Exist);
    }

    [Test]
    public async Task An_image_whose_manifest_is_gone_stops_the_collection()
    {
        var manifest = await StoredImages.AddAsync(_store, "host/a:1", "base");
        await StoredImages.AddLayersAsync(_store, "unneeded");
        File.Delete(_store.BlobPath(manifest.Digest));

        Assert.That(async () => await CollectAsync(new()), Throws.TypeOf<ConversionException>().With.Message.Contains("host/a:1").And.Message.Contains("verify --repair"));
        Assert.That(_store.LayerIds(), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Copies_count_twice()
    {
        await StoredImages.AddAsync(_store, "host/a:1", "base");
        var linked = await CollectAsync(new());

        var copied = await new StoreCollection(StoredImages.Copy(_store.Root, _folder["copy"]), new()).RunAsync(CancellationToken.None);

        Assert.That(copied.Remaining - linked.Remaining, Is.EqualTo(StoredImages.LayerSize));
    }

    private Task<CollectionResult> CollectAsync(CollectionOptions options) => new StoreCollection(_store, options).RunAsync(CancellationToken.None);

    private IReadOnlyList<StoreProblem> Verify() => new StoreVerification(_store, CancellationToken.None).Run();

    private long FolderSize(ChainId chainId) => new DirectoryInfo(_store.LayerFolder(chainId)).EnumerateFiles().Sum(file => file.Length);
}
