using System.Text;
using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

public sealed class DigestTests
{
    // FIPS 180-2: SHA-256 of "abc".
    private const string Abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Test]
    public void Parsed_text_comes_back_unchanged()
    {
        var digest = Digest.Parse(Abc);
        Assert.That(digest.ToString(), Is.EqualTo(Abc));
        Assert.That(digest.Hex, Is.EqualTo(Abc["sha256:".Length..]));
    }

    [Test]
    public async Task Bytes_stream_and_hash_give_one_digest()
    {
        var bytes = Encoding.ASCII.GetBytes("abc");
        var hash = new byte[Digest.Size];
        Digest.Parse(Abc).CopyTo(hash);
        Assert.That(Digest.Compute(bytes), Is.EqualTo(Digest.Parse(Abc)));
        Assert.That(await Digest.ComputeAsync(new MemoryStream(bytes)), Is.EqualTo(Digest.Parse(Abc)));
        Assert.That(Digest.FromHash(hash), Is.EqualTo(Digest.Parse(Abc)));
    }

    [TestCase("", "form sha256:")]
    [TestCase("ba7816bf", "form sha256:")]
    [TestCase(":ba7816bf", "form sha256:")]
    [TestCase("sha512:ba7816bf", "algorithm 'sha512'; only sha256")]
    [TestCase("SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "algorithm 'SHA256'")]
    [TestCase("sha256:", "has 0 characters")]
    [TestCase("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a", "has 63 characters")]
    [TestCase("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", "has 65 characters")]
    [TestCase("sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "lower-case")]
    [TestCase("sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "lower-case")]
    [TestCase("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a\n", "lower-case")]
    public void Other_text_is_refused_with_the_reason(string text, string reason)
    {
        Assert.That(() => Digest.Parse(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason).And.Message.Not.Contains("\n"));
        Assert.That(Digest.TryParse(text, out _), Is.False);
    }

    [Test]
    public void A_hash_of_another_length_is_refused([Values(0, 31, 33)] int length) =>
        Assert.That(() => Digest.FromHash(new byte[length]), Throws.ArgumentException);

    [Test]
    public void The_base_layers_chain_id_is_its_diff_id_and_others_hash_the_chain_below()
    {
        var diffId = new DiffId(Digest.Parse(Abc));
        var lower = ChainId.Of(parent: null, diffId);
        var upper = ChainId.Of(lower, diffId);
        Assert.That(lower.Digest, Is.EqualTo(diffId.Digest));

        // printf 'sha256:ba78...15ad sha256:ba78...15ad' | sha256sum
        Assert.That(upper.Digest, Is.EqualTo(Digest.Parse("sha256:95bbd0d1bf2f6edd073d53e1caa6d4b4778912f6b19bad7a45d56c58e23533bd")));
        Assert.That(upper.Hex, Is.EqualTo("95bbd0d1bf2f6edd073d53e1caa6d4b4778912f6b19bad7a45d56c58e23533bd"));
        Assert.That(ChainId.Of(upper, diffId), Is.Not.EqualTo(upper));
    }
}
