using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;

namespace CimConvert.Tests.Pipeline;

/// <summary>What goes wrong between a registry and its client, each kind with values of chance.</summary>
internal static class FaultCatalogue
{
    public static IEnumerable<string> Names => All(1).Select(fault => fault.Name);

    /// <param name="name">The kind.</param>
    /// <param name="blobSize">Bytes of the blobs that break somewhere in between.</param>
    public static Func<Random, Fault> Of(string name, int blobSize) => All(blobSize).Single(fault => fault.Name == name).Make;

    /// <summary>Adds two to five faults of any kind, of which each may wait for a few requests.</summary>
    public static void AddMix(FakeRegistry registry, int seed, int blobSize)
    {
        var random = new Random(seed);
        var faults = All(blobSize);
        for (var count = random.Next(2, 6); count > 0; count--)
        {
            registry.Faults.Add(faults[random.Next(faults.Length)].Make(random) with { Skip = random.Next(3) });
        }
    }

    private static (string Name, Func<Random, Fault> Make)[] All(int blobSize) =>
    [
        ("drop", r => Fault.DropAfter("blobs/", r.Next(blobSize), r.Next(1, 4))),
        ("drop manifest", r => Fault.DropAfter("manifests/", r.Next(200), r.Next(1, 4))),
        ("stall", r => Fault.StallAfter("blobs/", r.Next(blobSize), r.Next(1, 3))),
        ("too many", r => Fault.TooManyRequests(Any(r), "0", r.Next(1, 4))),
        ("too many, for long", r => Fault.TooManyRequests(Any(r), "100000", r.Next(1, 4))),
        ("500", r => Fault.Status(Any(r), 500 + r.Next(5), r.Next(1, 8))),
        ("404", r => Fault.Status(Any(r), 404, r.Next(1, 3))),
        ("403", r => Fault.Status(Any(r), 403, r.Next(1, 3))),
        ("corrupt", r => Fault.Corrupt(Any(r), r.Next(1, 3))),
        ("too long", r => Fault.WrongLength(Any(r), r.Next(1, 1000), r.Next(1, 3))),
        ("too short", r => Fault.WrongLength(Any(r), -r.Next(1, 100), r.Next(1, 3))),
        ("no length", _ => Fault.NoLength("blobs/")),
        ("no ranges", _ => Fault.NoRanges("blobs/")),
        ("wrong range", r => Fault.WrongRange("blobs/", r.Next(1, 1000))),
        ("slow", r => Fault.Slow("blobs/", TimeSpan.FromMilliseconds(1), r.Next(1, 3))),
        ("wrong digest header", r => Fault.DigestHeader("manifests/", Digests.OfText("another"), r.Next(1, 3))),
    ];

    private static string Any(Random random) => random.Next(2) == 0 ? "blobs/" : "manifests/";
}
