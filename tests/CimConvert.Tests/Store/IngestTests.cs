using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

public class IngestTests
{
    private static readonly ChainId s_chain = new(Digest.Compute("chain"u8));

    [Test]
    public async Task A_claim_keeps_others_out_until_it_ends()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var first = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        File.WriteAllText(Path.Combine(first.Path, "half"), "done");
        var waiting = store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        Assert.That(waiting.IsCompleted, Is.False);

        first.Dispose();
        using var second = await waiting;
        Assert.That(Directory.EnumerateFileSystemEntries(second.Path), Is.Empty);
    }

    [Test]
    public async Task A_claim_that_ended_before_does_not_end_that_of_the_next()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var first = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        first.Dispose();
        using var second = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        File.WriteAllText(Path.Combine(second.Path, "half"), "done");

        first.Dispose();
        Assert.That(File.Exists(Path.Combine(second.Path, "half")), Is.True);
        Assert.That(store.Ingest.IsClaimed(s_chain), Is.True);
    }

    [Test]
    public void A_download_that_ended_before_does_not_end_the_next()
    {
        using var folder = new TempFolder();
        var ingest = ConversionStore.Open(folder.Path).Ingest;
        var first = ingest.TryOpenPartial(s_chain.Digest)!;
        first.Remove = true;
        first.Dispose();
        using var second = ingest.TryOpenPartial(s_chain.Digest)!;

        first.Dispose();
        Assert.That(File.Exists(folder["ingest", s_chain.Hex + ".blob"]), Is.True);
    }

    [Test]
    public async Task Waiting_for_a_claim_can_be_cancelled()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var first = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        using var cancellationToken = new CancellationTokenSource();
        var waiting = store.Ingest.ClaimAsync(s_chain, cancellationToken.Token);
        await cancellationToken.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Claims_of_other_layers_do_not_wait()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var first = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        using var other = await store.Ingest.ClaimAsync(new ChainId(Digest.Compute("other"u8)), CancellationToken.None);
        Assert.That(other.Path, Is.Not.EqualTo(first.Path));
    }

    [Test]
    public void Opening_a_store_removes_what_a_killed_process_left()
    {
        using var folder = new TempFolder();
        ConversionStore.Open(folder.Path);
        folder.Write(Path.Combine("ingest", s_chain.Hex, "layer.bcim.partial"), [1]);
        folder.Write(Path.Combine("ingest", s_chain.Hex + ".lock"), []);
        folder.Write(Path.Combine("ingest", "no lock of its own", "file"), [1]);
        folder.Write(Path.Combine("ingest", s_chain.Hex + ".old", "layer.bcim"), [1]);
        folder.Write(Path.Combine("ingest", "index.json.12-1.tmp"), [1]);

        ConversionStore.Open(folder.Path);
        Assert.That(Directory.EnumerateFileSystemEntries(folder["ingest"]), Is.Empty);
    }

    [Test]
    public async Task Opening_a_store_leaves_alone_what_is_being_worked_on()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var claim = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        File.WriteAllText(Path.Combine(claim.Path, "half"), "done");

        ConversionStore.Open(folder.Path);
        Assert.That(File.ReadAllText(Path.Combine(claim.Path, "half")), Is.EqualTo("done"));
    }

    [Test]
    [Category(Categories.Slow)]
    public async Task Files_are_written_while_others_sweep()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var done = new CancellationTokenSource();
        var sweeps = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                Leftovers.Sweep(store.Ingest.Root);
            }
        })).ToArray();
        for (var i = 0; i < 300; i++)
        {
            store.PutBlob(BitConverter.GetBytes(i), MediaTypes.OciConfig);
        }

        await done.CancelAsync();
        await Task.WhenAll(sweeps);
        Assert.That(store.BlobFiles().Count(), Is.EqualTo(300));
    }

    [Test]
    public async Task A_claim_that_many_want_is_had_by_one_after_the_other()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var holders = 0;
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var taken = 0; taken < 300;)
            {
                using var claim = IngestFolder.TryClaim(Path.Combine(store.Ingest.Root, s_chain.Hex));
                if (claim is not null)
                {
                    taken++;
                    Assert.That(Interlocked.Increment(ref holders), Is.EqualTo(1));
                    Interlocked.Decrement(ref holders);
                }
            }
        })));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["ingest"]), Is.Empty);
    }
}
