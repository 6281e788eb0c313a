using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

public class StoreLeaseTests
{
    private static readonly ChainId s_base = new(Digest.Compute("base"u8));
    private static readonly ChainId s_top = new(Digest.Compute("top"u8));

    [Test]
    public async Task A_lease_names_its_layers_as_long_as_it_is_held()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using (await store.UseAsync([s_base, s_top], CancellationToken.None))
        using (await store.UseAsync([s_base], CancellationToken.None))
        {
            // Others open the store meanwhile, and sweep it.
            var other = ConversionStore.Open(folder.Path);
            Assert.That(await Layers(other), Is.EquivalentTo(new[] { s_base, s_top }));
        }

        Assert.That(await Layers(store), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(folder["ingest"]), Is.Empty);
    }

    [Test]
    public async Task A_lease_that_nobody_holds_names_nothing_and_goes_when_the_store_is_opened()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var dead = folder.Write(Path.Combine("ingest", "12-1.lease"), System.Text.Encoding.ASCII.GetBytes(s_base.ToString()));
        Assert.That(await Layers(store), Is.Empty);
        Assert.That(dead, Does.Exist);

        ConversionStore.Open(folder.Path);
        Assert.That(dead, Does.Not.Exist);
    }

    [Test]
    public async Task Leases_of_processes_with_the_same_id_do_not_meet()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var first = await store.UseAsync([s_base], CancellationToken.None);
        var taken = int.Parse(Path.GetFileNameWithoutExtension(Directory.EnumerateFiles(folder["ingest"]).Single()).Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);

        // Some next numbers are another's; tests beside this one may take numbers too.
        for (var i = 1; i <= 3; i++)
        {
            folder.Write(Path.Combine("ingest", FormattableString.Invariant($"{Environment.ProcessId}-{taken + i}.lease")), "another's"u8);
        }

        using var second = await store.UseAsync([s_top], CancellationToken.None);
        Assert.That(await Layers(store), Is.EquivalentTo(new[] { s_base, s_top }));
    }

    [Test]
    public async Task Nobody_begins_to_use_layers_while_a_collection_decides()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var gate = await store.LockAsync(CancellationToken.None);
        using var cancellationToken = new CancellationTokenSource();
        var waiting = store.UseAsync([s_base], CancellationToken.None);
        var given = store.UseAsync([s_top], cancellationToken.Token);
        Assert.That(waiting.IsCompleted, Is.False);
        await cancellationToken.CancelAsync();
        Assert.That(async () => await given, Throws.InstanceOf<OperationCanceledException>());

        gate.Dispose();
        using var lease = await waiting;
        Assert.That(await Layers(store), Is.EquivalentTo(new[] { s_base }));
    }

    private static Task<IReadOnlySet<ChainId>> Layers(ConversionStore store) => StoreLease.ReadAllAsync(store.Ingest.Root, CancellationToken.None);
}
