using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Hives;

/// <summary>Makes hives shaped like SOFTWARE, of any size, the same for the same seed: class registrations by GUID and packages.</summary>
public static class SoftwareHive
{
    /// <summary>What one class takes in the hive, on average; measured.</summary>
    private const int BytesPerClass = 1_060;

    private const int ChangedOneIn = 20;
    private const int Packages = 64;
    private const int LargeValue = 20_000;

    private static readonly byte[][] Descriptors = [.. Enumerable.Range(0, 40).Select(i => Enumerable.Repeat((byte)i, 140).ToArray())];

    public static byte[] Make(int seed, int size) => new HiveBuilder(Root(new Random(seed), size / BytesPerClass)).Build();

    /// <summary>A delta to the hive of the same seed and size: every twentieth class is changed, gone or new.</summary>
    public static byte[] MakeDelta(int seed, int size)
    {
        var (random, same) = (new Random(seed + 1), new Random(seed));
        var root = Root(same, size / BytesPerClass);
        var classes = root.Subkeys[0].Subkeys[0];
        KeySpec[] kept = [.. classes.Subkeys.Where((_, i) => i % ChangedOneIn == 0)];
        classes.Subkeys.Clear();
        classes.With(kept.Select((key, i) => (i % 3) switch
        {
            0 => new KeySpec(key.Name) { Layer = 1 },
            1 => new KeySpec(key.Name) { Security = key.Security }
                .With(ValueSpec.Text(string.Empty, "changed"), ValueSpec.Tombstone("AppID")),
            _ => Class(random),
        }));
        root.Subkeys.RemoveAt(1);
        return new HiveBuilder(root) { MinorVersion = 6, Flags = 2 }.Build();
    }

    private static KeySpec Root(Random random, int classes) => new KeySpec("ROOT") { Security = Descriptors[0] }.With(
        new KeySpec("Classes") { Security = Descriptors[0] }.With(
            new KeySpec("CLSID") { Security = Descriptors[0], Lists = SubkeyLists.Root }.With(
                [.. Enumerable.Range(0, classes).Select(_ => Class(random)).OrderBy(key => key.Name, StringComparer.OrdinalIgnoreCase)])),
        new KeySpec("Packages") { Security = Descriptors[0] }.With([.. Enumerable.Range(0, Packages).Select(i => Package(random, i))]));

    private static KeySpec Class(Random random)
    {
        var security = Descriptors[random.Next(Descriptors.Length)];
        return Key(GuidOf(random))
            .With(ValueSpec.Text(string.Empty, $"Class number {random.Next()}"), ValueSpec.Text("AppID", GuidOf(random)))
            .With(
                Key("InprocServer32").With(
                    ValueSpec.Text(string.Empty, $@"%SystemRoot%\System32\library{random.Next(2_000)}.dll"),
                    ValueSpec.Text("ThreadingModel", "Both")),
                Key("ProgID").With(ValueSpec.Text(string.Empty, $"Company.Class{random.Next()}.1")),
                Key("TypeLib").With(
                    ValueSpec.Text(string.Empty, GuidOf(random)),
                    new ValueSpec("Flags", 4, BitConverter.GetBytes(random.Next()))));

        KeySpec Key(string name) => new(name) { Security = security };
    }

    private static KeySpec Package(Random random, int number)
    {
        var data = new byte[LargeValue];
        random.NextBytes(data);
        return new KeySpec($"Package_{number:d5}") { Security = Descriptors[number % Descriptors.Length] }.With(
            new ValueSpec("Manifest", 3, data), new ValueSpec("State", 4, BitConverter.GetBytes(number)));
    }

    private static string GuidOf(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        var text = new StringBuilder("{").Append(new Guid(bytes).ToString("D", CultureInfo.InvariantCulture)).Append('}');
        return text.ToString().ToUpperInvariant();
    }
}
