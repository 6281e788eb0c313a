using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using CimConvert.TestKit.Registry;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Pull;

public sealed class BlobTests
{
    private const int Size = 1_000_000;

    private static readonly byte[] Content = FakeImage.Bytes(Size);

    private FakeRegistry _registry = null!;
    private RegistryClient _client = null!;
    private TransferCount _count = null!;
    private Descriptor _blob = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await FakeRegistry.StartAsync();
        _client = FakeImage.Client();
        _count = new TransferCount();
        _blob = _registry.AddContent(Content);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(Size)]
    public async Task A_blob_comes_whole_and_is_counted(int size)
    {
        var bytes = Content[..size];
        var blob = _registry.AddContent(bytes);
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), blob, _count), Is.EqualTo(bytes));
        Assert.That(_count.Bytes, Is.EqualTo(size));
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_reader_without_async_gets_the_same_bytes()
    {
        _registry.Faults.Add(Fault.DropAfter("blobs/", 500_000));
        await using var stream = await _client.OpenBlobAsync(_registry.Reference(), _blob, offset: 0, _count, CancellationToken.None);
        var bytes = new byte[Size];
        stream.ReadExactly(bytes, 0, Size);
        Assert.That(bytes, Is.EqualTo(Content));
        Assert.That(stream.Read(bytes, 0, 1), Is.Zero);
        Assert.That((stream.Position, stream.Length), Is.EqualTo((Size, Size)));
    }

    [Test]
    public async Task A_dropped_connection_goes_on_where_it_broke()
    {
        _registry.Faults.Add(Fault.DropAfter("blobs/", 400_000));
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), _blob, _count), Is.EqualTo(Content));
        Assert.That(_registry.Requests.Select(request => request.Range ?? "all"), Is.EqualTo(new[] { "all", "bytes=400000-" }));
        Assert.That(_count.Bytes, Is.EqualTo(Size), "no byte is fetched twice");
    }

    [Test]
    public async Task Progress_lets_it_break_more_often_than_there_are_attempts()
    {
        _registry.Faults.Add(Fault.DropAfter("blobs/", 100_000, times: 9));
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), _blob, _count), Is.EqualTo(Content));
        Assert.That(_registry.Requests, Has.Count.EqualTo(10));
    }

    [Test]
    public async Task Without_ranges_it_starts_over_and_skips()
    {
        _registry.Faults.Add(Fault.NoRanges("blobs/"));
        _registry.Faults.Add(Fault.DropAfter("blobs/", 400_000));
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), _blob, _count), Is.EqualTo(Content));
        Assert.That(_registry.Requests, Has.Count.EqualTo(2));
        Assert.That(_count.Bytes, Is.GreaterThan(Size), "what is skipped came over the wire, too");
    }

    [Test]
    public async Task The_wrong_range_is_not_trusted()
    {
        _registry.Faults.Add(Fault.WrongRange("blobs/", shift: 5));
        _registry.Faults.Add(Fault.DropAfter("blobs/", 400_000));
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), _blob, _count), Is.EqualTo(Content));
        Assert.That(_registry.Requests.Select(request => request.Range is null), Is.EqualTo(new[] { true, false, true }));
    }

    [Test]
    public void Attempts_end_when_nothing_moves()
    {
        _registry.Faults.Add(Fault.NoRanges("blobs/"));
        _registry.Faults.Add(Fault.DropAfter("blobs/", 1000, Fault.Always));
        AssertFails($"cannot get blob {_blob.Digest} of {_registry.Host}/team/app: the connection broke");
        Assert.That(_registry.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_stalled_connection_counts_as_broken()
    {
        _registry.Faults.Add(Fault.StallAfter("blobs/", 400_000));
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options.WithClock(clock));
        var start = clock.GetUtcNow();
        var content = client.ReadAllAsync(_registry.Reference(), _blob, _count);
        await FakeClock.UntilAsync(() => _count.Bytes == 400_000);
        await clock.AdvanceUntilAsync(FakeImage.Options.StallTimeout / 4, () => _registry.Requests.Count > 1);
        Assert.That(await content, Is.EqualTo(Content));
        Assert.That(clock.GetUtcNow() - start, Is.GreaterThanOrEqualTo(FakeImage.Options.StallTimeout));
        Assert.That(_count.Bytes, Is.EqualTo(Size));
    }

    [Test]
    public async Task A_connection_that_stalls_each_time_fails_with_the_reason()
    {
        _registry.Faults.Add(Fault.StallAfter("blobs/", 0, Fault.Always));
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options.WithClock(clock));
        var content = client.ReadAllAsync(_registry.Reference(), _blob, _count);
        await clock.AdvanceUntilAsync(FakeImage.Options.StallTimeout / 2, () => content.IsCompleted);
        Assert.That(() => content, Throws.TypeOf<RegistryException>().With.Message.Contains("last: no data for 1 s"));
    }

    [Test]
    public async Task A_slow_connection_is_not_a_stalled_one()
    {
        var blob = _registry.AddContent(Content[..100_000]);
        _registry.Faults.Add(Fault.Slow("blobs/", TimeSpan.FromMilliseconds(20)));
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options.WithClock(clock));
        await using var stream = await client.OpenBlobAsync(_registry.Reference(), blob, offset: 0, _count, CancellationToken.None);
        var bytes = new byte[blob.Size];
        for (int done = 0, read = -1; read != 0; done += read)
        {
            // Each read waits for nearly as long as it may.
            var reading = stream.ReadAsync(bytes.AsMemory(done));
            clock.Advance(0.9 * FakeImage.Options.StallTimeout);
            read = await reading;
        }

        Assert.That(bytes, Is.EqualTo(Content[..100_000]));
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_slow_reader_is_not_a_stalled_connection()
    {
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options.WithClock(clock));
        await using var stream = await client.OpenBlobAsync(_registry.Reference(), _blob, offset: 0, _count, CancellationToken.None);
        await stream.ReadExactlyAsync(new byte[1000]);
        clock.Advance(1.5 * FakeImage.Options.StallTimeout);
        await stream.ReadExactlyAsync(new byte[Size - 1000]);
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [TestCase(1)]
    [TestCase(-1)]
    public void An_announced_length_that_is_wrong_is_refused_before_any_byte(long delta)
    {
        _registry.Faults.Add(Fault.WrongLength("blobs/", delta));
        AssertFails($"the registry has {Size + delta} bytes where the manifest says {Size}");
        Assert.That(_count.Bytes, Is.Zero);
    }

    [TestCase(1, "the registry has more than the 1000000 bytes the manifest says")]
    [TestCase(-1, "the data ended after 999999 of 1000000 bytes")]
    public void A_body_of_the_wrong_length_is_refused(long delta, string reason)
    {
        _registry.Faults.Add(Fault.NoLength("blobs/"));
        _registry.Faults.Add(Fault.NoRanges("blobs/"));
        _registry.Faults.Add(Fault.WrongLength("blobs/", delta));
        AssertFails(reason);
    }

    [Test]
    public async Task A_body_without_announced_length_is_fine()
    {
        _registry.Faults.Add(Fault.NoLength("blobs/"));
        _registry.Faults.Add(Fault.DropAfter("blobs/", 400_000));
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), _blob, _count), Is.EqualTo(Content));
    }

    [Test]
    public void A_blob_that_is_not_there_is_named()
    {
        _blob = _blob with { Digest = Digest.Compute([1]) };
        AssertFails($"cannot get blob {_blob.Digest} of {_registry.Host}/team/app: the repository has no such blob (404) [BLOB_UNKNOWN: blob unknown to registry]");
    }

    [Test]
    public async Task A_foreign_layer_the_registry_lacks_comes_from_its_urls_without_credentials()
    {
        await using var elsewhere = await FakeRegistry.StartAsync();
        var foreign = elsewhere.AddContent(Content[1..], MediaTypes.DockerForeignLayerGzip);
        var url = $"http://{elsewhere.Host}/v2/x/blobs/{foreign.Digest}";
        _registry.RequireBearer();
        foreign = foreign with { Urls = ["ftp://nowhere.invalid/x", $"http://{elsewhere.Host}/v2/x/blobs/none", url] };
        Assert.That(await _client.ReadAllAsync(_registry.Reference(), foreign, _count), Is.EqualTo(Content[1..]));
        Assert.That(elsewhere.Requests.Select(request => request.Authorization), Is.All.Null);
        Assert.That(_registry.Requests[0].Path, Does.EndWith(foreign.Digest.ToString()), "the registry is asked first");
    }

    [Test]
    public async Task Cancelling_ends_a_stalled_read_by_either_token([Values] bool byOpeningToken)
    {
        _registry.Faults.Add(Fault.StallAfter("blobs/", 0, Fault.Always));
        using var client = FakeImage.Client(FakeImage.Options with { StallTimeout = TimeSpan.FromMinutes(5) });
        using var cancel = new CancellationTokenSource();
        await using var stream = await client.OpenBlobAsync(_registry.Reference(), _blob, offset: 0, new TransferCount(), byOpeningToken ? cancel.Token : CancellationToken.None);
        var read = stream.ReadAsync(new byte[10], byOpeningToken ? CancellationToken.None : cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.That(() => read, Throws.InstanceOf<OperationCanceledException>());
    }

    private void AssertFails(string message) => Assert.That(
        () => _client.ReadAllAsync(_registry.Reference(), _blob, _count),
        Throws.TypeOf<RegistryException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));
}
