using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;
using CimConvert.TestKit.Fuzzing;
using CimConvert.TestKit.Hives;
using CimConvert.Tests.Formats.Regf;
using CimConvert.Tests.Layers.Hives;

namespace CimConvert.Tests.Fuzzing;

/// <summary>A hive read, written and read again, merged both ways, exported, and prepared for booting.</summary>
internal sealed class HiveHarness : FuzzHarness
{
    private readonly Hive _delta = HiveReader.Read(Delta());

    public override string Name => "regf";

    public override int MaxLength => 48 << 10;

    public override bool HasOffsets => true;

    public override IReadOnlyList<byte[]> Tokens { get; } = Words("regf", "hbin", "nk", "vk", "lf", "lh", "li", "ri", "db", "sk", "ControlSet001", "Current");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        .. Enum.GetValues<SubkeyLists>().Select(lists => new[] { Rich(lists) }),
        [Delta()],
        [HiveFiles.Write(HiveReader.Read(Rich(SubkeyLists.Hash)))],
        [new HiveBuilder(BootHives.BootStore()).Build()],
        [new HiveBuilder(BootHives.SystemHive()).Build()],
    ];

    public override void Repair(byte[][] parts)
    {
        if (parts[0].Length >= HiveBuilder.BaseBlockSize)
        {
            HiveBuilder.Reseal(parts[0]);
        }
    }

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var hive = HiveReader.Read(parts[0]);
        Same(hive);
        Same(HiveMerge.Merge(hive, _delta));
        var merged = HiveMerge.Merge(_delta, hive);
        Same(merged);
        if (LayerMarks.InTree(merged.Root))
        {
            throw new InvalidOperationException("a merged hive has marks of a layer");
        }

        HiveFiles.Export(merged);
        var (system, boot) = (Try(() => CimBoot.PrepareSystem(hive)), Try(() => CimBoot.ConfigureBoot(hive, @"\x.cim", Guid.Empty, Guid.Empty)));
        return $"{Magnitude(hive.Root.Subkeys.Length)} {Magnitude(hive.Root.Values.Length)} {system} {boot}";
    }

    /// <summary>What was read can be written, and reads as the same.</summary>
    private static void Same(Hive hive)
    {
        if (HiveFiles.Dump(HiveReader.Read(HiveFiles.Write(hive))) != HiveFiles.Dump(hive))
        {
            throw new InvalidOperationException("a hive that was written reads as another");
        }
    }

    private string Try(Func<Hive> prepare)
    {
        try
        {
            Same(prepare());
            return "prepared";
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return FuzzLoop.Kind(e);
        }
    }

    private static byte[] Delta() => new HiveBuilder(new KeySpec("ROOT").With(
        new KeySpec("K0").With(ValueSpec.Text("t", "changed"), ValueSpec.Tombstone("n")),
        new KeySpec("K1") { Layer = 1 },
        new KeySpec("new") { Layer = 2 }.With(ValueSpec.Text("", "default"))))
    { MinorVersion = 6, Flags = 2 }.Build();

    private static byte[] Rich(SubkeyLists lists) => new HiveBuilder(new KeySpec("ROOT") { Lists = lists }
        .With(Enumerable.Range(0, 6).Select(i => new KeySpec($"K{i}") { Security = i % 2 == 0 ? [] : null, ClassName = i == 2 ? "class" : string.Empty, WideName = i == 3 }
            .With(ValueSpec.Text("t", "text"), new ValueSpec("n", 4, [1, 2, 3, 4]), new ValueSpec(string.Empty, 3, new byte[40 * i])).With(new KeySpec("sub"))))
        .With(new ValueSpec("segments", 3, new byte[17_000]))).Build();
}
