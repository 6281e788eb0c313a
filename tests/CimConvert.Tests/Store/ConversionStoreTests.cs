using System.Text;
using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

public class ConversionStoreTests
{
    private static readonly ChainId s_chain = new(Digest.Compute("chain"u8));

    [Test]
    public void A_new_store_is_an_oci_layout()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder["store"]);
        Assert.That(File.ReadAllText(Path.Combine(store.Root, "oci-layout")), Is.EqualTo("""{"imageLayoutVersion":"1.0.0"}"""));
        Assert.That(ConversionStore.IsStore(store.Root), Is.True);
        Assert.That(store.Images(), Is.Empty);
        Assert.That(store.LayerIds(), Is.Empty);
    }

    [Test]
    public void A_folder_that_is_no_store_is_not_opened_as_one()
    {
        using var folder = new TempFolder();
        Assert.That(() => ConversionStore.OpenExisting(folder.Path), Throws.TypeOf<ConversionException>().With.Message.Contains("is no store"));
    }

    [Test]
    public async Task A_layer_is_there_once_it_is_published_and_not_before()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using var claim = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        var record = StoreRecords.Write(claim.Path, s_chain, "first");
        Assert.That(store.FindLayer(s_chain), Is.Null);

        var stored = store.Publish(claim, record);
        Assert.That(stored.CimFile, Is.EqualTo(folder["layers", s_chain.Hex, "layer.bcim"]));
        Assert.That(File.ReadAllText(stored.CimFile), Is.EqualTo("first"));
        Assert.That(store.LayerIds(), Is.EqualTo(new[] { s_chain }));
    }

    [Test]
    public async Task A_layer_made_otherwise_is_replaced_whole()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        foreach (var content in (string[])["first", "second one"])
        {
            using var claim = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
            File.WriteAllText(Path.Combine(claim.Path, $"only in {content}"), content);
            store.Publish(claim, StoreRecords.Write(claim.Path, s_chain, content));
        }

        var names = Directory.EnumerateFiles(store.LayerFolder(s_chain)).Select(Path.GetFileName);
        Assert.That(names, Is.EquivalentTo(new[] { "layer.bcim", "layer.json", "only in second one" }));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["ingest"]), Is.Empty);
    }

    [TestCase("layer.json", "{")]
    [TestCase("layer.json", "")]
    [TestCase("layer.bcim", "short")]
    public async Task A_layer_that_is_not_whole_is_not_there(string file, string content)
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        using (var claim = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None))
        {
            store.Publish(claim, StoreRecords.Write(claim.Path, s_chain, "longer content"));
        }

        Assert.That(store.FindLayer(s_chain), Is.Not.Null);
        File.WriteAllText(Path.Combine(store.LayerFolder(s_chain), file), content);
        Assert.That(store.FindLayer(s_chain), Is.Null);
    }

    [Test]
    public async Task A_record_that_names_a_file_elsewhere_is_not_believed()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        File.WriteAllText(folder["outside"], "content");
        using var claim = await store.Ingest.ClaimAsync(s_chain, CancellationToken.None);
        var record = StoreRecords.Write(claim.Path, s_chain, "content");
        var lying = record with { Cim = record.Cim with { File = Path.Combine("..", "..", "outside") } };
        Assert.That(() => store.Publish(claim, lying), Throws.InvalidOperationException);
        Assert.That(store.FindLayer(s_chain), Is.Null);
    }

    [Test]
    public void A_blob_is_named_by_its_digest_and_kept_once()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var content = Encoding.UTF8.GetBytes("{}");
        var descriptor = store.PutBlob(content, MediaTypes.OciConfig);
        Assert.That(store.PutBlob(content, MediaTypes.OciConfig), Is.EqualTo(descriptor));
        Assert.That(File.ReadAllBytes(folder["blobs", "sha256", descriptor.Digest.Hex]), Is.EqualTo(content));
        Assert.That(store.BlobFiles().Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_layer_file_becomes_a_blob_without_being_touched()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var file = folder.Write("file", "content"u8);
        var digest = Digest.Compute("content"u8);
        store.LinkBlob(file, digest);
        store.LinkBlob(file, digest);
        Assert.That(File.ReadAllText(store.BlobPath(digest)), Is.EqualTo("content"));
        Assert.That(File.ReadAllText(file), Is.EqualTo("content"));
    }
}
