using CimConvert.Registry;
using CimConvert.Registry.Push;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Push;

/// <summary>Everything that goes wrong with uploads, in mixes: each ends with the right bytes or one clear error.</summary>
public sealed class PushMixTests
{
    private static readonly Func<Random, Fault>[] s_faults =
    [
        random => Fault.DropAfter("uploads/", random.Next(PushHarness.Chunk)),
        random => Fault.DropAfter("uploads/", random.Next(10)) with { Method = "PUT" },
        random => Fault.Status("uploads/", random.Next(2) == 0 ? 500 : 503),
        _ => Fault.TooManyRequests("uploads/", "0"),
        _ => Fault.LoseUpload("uploads/"),
        random => Fault.WrongRange("uploads/", random.Next(-300, 300), times: 1),
        _ => Fault.ExpireTokens("uploads/"),
        _ => Fault.Status("blobs/sha256", 500) with { Method = "HEAD" },
        _ => Fault.Slow("uploads/", TimeSpan.FromMilliseconds(1), times: 1),
    ];

    [Test]
    public async Task Any_mix_ends_with_the_right_bytes_or_one_clear_error([Range(1, 12)] int seed)
    {
        await using var push = await PushHarness.StartAsync(PushHarness.Options with { MaxAttempts = 5 });
        push.Registry.RequireBearer();
        var random = new Random(seed);
        for (var i = 0; i < 12; i++)
        {
            push.Registry.Faults.Add(s_faults[random.Next(s_faults.Length)](random) with { Skip = random.Next(12) });
        }

        PushedBlob[] blobs = [push.Blob(random.Next(3 * PushHarness.Chunk), 1), push.Blob(random.Next(3 * PushHarness.Chunk), 2), push.Blob(random.Next(100), 3)];
        foreach (var (blob, pushing) in blobs.Select(blob => (blob, push.PushAsync(blob))).ToArray())
        {
            try
            {
                await pushing;
                Assert.That(push.Has(blob), "it is there when it is said to be");
            }
            catch (RegistryException e)
            {
                Assert.That(e.Message, Does.StartWith($"cannot push blob {blob.Digest} to ").And.Not.Contains("\n"));
            }
        }

        // What is broken mends: the same again succeeds, and sends nothing that is there.
        push.Registry.Faults.Clear();
        Assert.That((await Task.WhenAll(blobs.Select(push.PushAsync))).Length, Is.EqualTo(3));
        Assert.That(blobs.Select(push.Has), Is.All.True);
        Assert.That(await Task.WhenAll(blobs.Select(push.PushAsync)), Is.All.EqualTo(PushOutcome.Skipped));
    }
}
