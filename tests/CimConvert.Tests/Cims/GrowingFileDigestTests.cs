using System.Security.Cryptography;
using CimConvert.Cims;
using CimConvert.TestKit;
using Microsoft.Win32.SafeHandles;
using NUnit.Framework;

namespace CimConvert.Tests.Cims;

public class GrowingFileDigestTests
{
    private const int Size = 700_001;

    private static readonly byte[] s_content = SeededContent.Bytes(1, Size);

    [Test]
    public async Task What_is_settled_step_by_step_is_hashed_once([Values(1, 4096, 300_000, Size)] int step)
    {
        using var folder = new TempFolder();
        using var handle = Create(folder, s_content);
        using var digest = new GrowingFileDigest(handle);
        var follower = Follow(digest, CancellationToken.None);
        for (var settled = step; settled < Size && settled < step * 1000; settled += step)
        {
            digest.Settle(settled);
        }

        digest.EndFollowing();
        await follower;
        Assert.That(digest.TryFinish(Size, CancellationToken.None), Is.EqualTo(SHA256.HashData(s_content)));
    }

    [Test]
    public async Task What_is_not_settled_may_still_change()
    {
        using var folder = new TempFolder();
        using var handle = Create(folder, [.. s_content.AsSpan(0, 5000), .. new byte[3000]]);
        using var digest = new GrowingFileDigest(handle);
        var follower = Follow(digest, CancellationToken.None);
        digest.Settle(5000);
        digest.EndFollowing();
        await follower;
        RandomAccess.Write(handle, s_content.AsSpan(5000), 5000);
        Assert.That(digest.TryFinish(Size, CancellationToken.None), Is.EqualTo(SHA256.HashData(s_content)));
    }

    [Test]
    public void Without_a_follower_there_is_none()
    {
        using var folder = new TempFolder();
        using var handle = Create(folder, s_content);
        using var digest = new GrowingFileDigest(handle);
        digest.Settle(Size);
        Assert.That(digest.TryFinish(Size, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_file_that_is_shorter_than_what_was_settled_is_an_error()
    {
        using var folder = new TempFolder();
        using var handle = Create(folder, s_content);
        using var digest = new GrowingFileDigest(handle);
        var follower = Follow(digest, CancellationToken.None);
        digest.EndFollowing();
        await follower;
        Assert.That(
            () => digest.TryFinish(Size + 1, CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo($"the block file ended at byte {Size} while it was hashed"));
    }

    [Test]
    public async Task Cancelling_ends_a_follower_that_waits()
    {
        using var folder = new TempFolder();
        using var handle = Create(folder, s_content);
        using var digest = new GrowingFileDigest(handle);
        using var cancellationToken = new CancellationTokenSource();
        var follower = Follow(digest, cancellationToken.Token);
        await cancellationToken.CancelAsync();
        Assert.That(async () => await follower, Throws.InstanceOf<OperationCanceledException>());
    }

    private static SafeFileHandle Create(TempFolder folder, ReadOnlySpan<byte> content)
    {
        var handle = File.OpenHandle(Path.Combine(folder.Path, "growing"), FileMode.CreateNew, FileAccess.ReadWrite);
        RandomAccess.Write(handle, content, 0);
        return handle;
    }

    private static Task Follow(GrowingFileDigest digest, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => digest.Follow(cancellationToken), TaskCreationOptions.LongRunning);
}
