using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

public class DigestingStreamTests
{
    private static readonly byte[] s_content = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    [Test]
    public void The_right_bytes_pass_and_leave_their_digest()
    {
        using var stream = Open(s_content, Digest.Compute(s_content), s_content.Length);
        Assert.That(ReadAll(stream), Is.EqualTo(s_content));
        Assert.That(stream.Digest, Is.EqualTo(Digest.Compute(s_content)));
        Assert.That(stream.BytesRead, Is.EqualTo(s_content.Length));
    }

    [Test]
    public void Nothing_expected_means_anything_may_come()
    {
        using var stream = Open(s_content, expected: null, size: null);
        ReadAll(stream);
        Assert.That(stream.Digest, Is.EqualTo(Digest.Compute(s_content)));
    }

    [Test]
    public void Other_content_of_the_same_size_is_refused_at_its_end()
    {
        var other = s_content.ToArray();
        other[500] ^= 1;
        using var stream = Open(other, Digest.Compute(s_content), s_content.Length);
        var error = Assert.Throws<InvalidDataException>(() => ReadAll(stream));
        Assert.That(error!.Message, Is.EqualTo(
            $"its blob has other content than it should: its digest is {Digest.Compute(other)}, expected {Digest.Compute(s_content)}"));
    }

    [TestCase(-1, "its blob is longer than the 999 bytes it should have")]
    [TestCase(1, "its blob ended after 1000 of 1001 bytes")]
    public void Another_size_is_refused(int more, string message)
    {
        using var stream = Open(s_content, Digest.Compute(s_content), s_content.Length + more);
        Assert.That(() => ReadAll(stream), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(message));
    }

    [Test]
    public void The_digest_is_not_there_before_the_end()
    {
        using var stream = Open(s_content, expected: null, size: null);
        stream.ReadExactly(new byte[s_content.Length]);
        Assert.That(() => stream.Digest, Throws.InvalidOperationException);
    }

    [Test]
    public async Task Reading_asynchronously_checks_just_the_same()
    {
        await using var good = Open(s_content, Digest.Compute(s_content), s_content.Length);
        await good.CopyToAsync(Stream.Null);
        Assert.That(good.Digest, Is.EqualTo(Digest.Compute(s_content)));

        await using var bad = Open([1, 2, 3], Digest.Compute(s_content), size: null);
        Assert.That(async () => await bad.CopyToAsync(Stream.Null), Throws.TypeOf<InvalidDataException>());
    }

    private static DigestingStream Open(byte[] content, Digest? expected, long? size) => new(new MemoryStream(content), "its blob", expected, size);

    private static byte[] ReadAll(Stream stream)
    {
        using var to = new MemoryStream();
        stream.CopyTo(to);
        return to.ToArray();
    }
}
