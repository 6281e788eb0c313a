using System.Buffers.Binary;
using System.Diagnostics;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>
/// Hives with a few fields broken: each is either refused with the one exception, or reads as a tree that merges, writes
/// and reads again. Seeded, so that a failure names the hive it is about.
/// </summary>
[Category(Categories.Slow)]
internal sealed class HiveFuzzTests
{
    private const int Rounds = 2_500;
    private const int MostBroken = 4;
    private const int AllocationFactor = 16;
    private const int AllocationFloor = 64 * 1024;
    private const int HeaderEnd = HiveBuilder.BaseBlockSize;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void Broken_hives_are_refused_or_read(int seed)
    {
        var random = new Random(seed);
        byte[][] sound = [Rich(random, lists: (SubkeyLists)random.Next(5)), HiveFiles.Write(HiveReader.Read(Rich(random, SubkeyLists.Hash)))];
        var delta = HiveReader.Read(Rich(random, SubkeyLists.Root));
        var (read, started) = (0, Stopwatch.StartNew());
        for (var round = 0; round < Rounds; round++)
        {
            var file = Break(sound[round % sound.Length], random);
            if (TryRead(file, $"seed {seed}, round {round}") is { } hive)
            {
                read++;
                AssertUsable(hive, delta);
            }

            Assert.That(started.Elapsed, Is.LessThan(Patience), $"seed {seed}, round {round}");
        }

        Assert.That(read, Is.InRange(Rounds / 100, Rounds * 99 / 100), "rounds that were read: neither none nor all");
    }

    [Test]
    public void Noise_is_refused([Range(0, 40)] int length)
    {
        var file = new byte[length * 512];
        new Random(length).NextBytes(file);
        Assert.That(TryRead(file, "noise"), Is.Null);
    }

    [Test]
    public void A_hive_cut_anywhere_is_refused()
    {
        var file = Rich(new Random(1), SubkeyLists.Fast);
        for (var length = 0; length < file.Length; length += 97)
        {
            Assert.That(TryRead(file[..length], $"cut at {length}"), Is.Null);
        }
    }

    [Test]
    public void A_large_cell_does_not_pass_for_a_large_list()
    {
        // A cell of 1 MB, taken as a list of values all of which are the root: the count must not be believed.
        const int size = 1 << 20;
        var file = new HiveBuilder(new KeySpec("root").With(new ValueSpec("v", 3, new byte[size]) { InOneCell = true })).Build();
        var key = HeaderEnd + BinField.HeaderSize + CellField.SizeLength;
        var cell = file.AsSpan().IndexOf(BitConverter.GetBytes(-(size + 8))) - HeaderEnd;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(key + KeyField.ValueCount), size / 4);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(key + KeyField.ValueList), cell);
        for (var at = cell + HeaderEnd + 4; at < cell + HeaderEnd + size; at += 4)
        {
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), BinField.HeaderSize);
        }

        Assert.That(TryRead(file, "large list"), Is.Null);
    }

    private static Hive? TryRead(byte[] file, string what)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            return HiveReader.Read(file);
        }
        catch (InvalidDataException error)
        {
            Assert.That(error.Message, Does.StartWith("hive"), what);
            return null;
        }
        catch (Exception error)
        {
            Assert.Fail($"{what}: {error}");
            throw;
        }
        finally
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.That(allocated, Is.LessThan(AllocationFloor + ((long)file.Length * AllocationFactor)), what);
        }
    }

    private static void AssertUsable(Hive hive, Hive delta)
    {
        Assert.That(HiveFiles.Dump(HiveReader.Read(HiveFiles.Write(hive))), Is.EqualTo(HiveFiles.Dump(hive)));
        foreach (var merged in (Hive[])[HiveMerge.Merge(hive, delta), HiveMerge.Merge(delta, hive)])
        {
            Assert.That(LayerMarks.InTree(merged.Root), Is.False);
            Assert.That(HiveFiles.Dump(HiveReader.Read(HiveFiles.Write(merged))), Is.EqualTo(HiveFiles.Dump(merged)));
            HiveFiles.Export(merged);
        }
    }

    /// <summary>Puts telling values into a few fields of a few records; the checksum is made right again, most of the time.</summary>
    private static byte[] Break(byte[] sound, Random random)
    {
        var file = sound.ToArray();
        var cells = Cells(sound);
        for (var i = random.Next(MostBroken) + 1; i > 0; i--)
        {
            var cell = cells[random.Next(cells.Count)];
            var length = Math.Min(Math.Abs(I32(sound, cell)), 100);
            var field = random.Next(20) switch
            {
                0 => file.AsSpan(random.Next(HeaderEnd / 8)),
                1 => file.AsSpan(HeaderEnd + random.Next(BinField.HeaderSize)),
                _ => file.AsSpan(cell + (random.Next(length / 2) * 2)),
            };
            Put(field, Telling(cells, random), random);
        }

        if (random.Next(50) != 0)
        {
            HiveBuilder.Reseal(file);
        }

        return file;
    }

    private static uint Telling(List<int> cells, Random random) => random.Next(8) switch
    {
        0 => 0,
        1 => uint.MaxValue,
        2 => (uint)random.Next(16),
        3 => 0x8000_0000u | (uint)random.Next(16),
        4 => (uint)random.Next(),
        5 => 1u << random.Next(32),
        _ => (uint)(cells[random.Next(cells.Count)] - HeaderEnd),
    };

    private static void Put(Span<byte> field, uint value, Random random)
    {
        switch (random.Next(3))
        {
            case 0:
                field[0] = (byte)value;
                break;
            case 1:
                BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)value);
                break;
            default:
                if (field.Length >= sizeof(uint))
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(field, value);
                }

                break;
        }
    }

    private static List<int> Cells(byte[] file)
    {
        var cells = new List<int>();
        for (var bin = HeaderEnd; bin < file.Length; bin += I32(file, bin + BinField.Size))
        {
            var end = bin + I32(file, bin + BinField.Size);
            for (var cell = bin + BinField.HeaderSize; cell < end; cell += Math.Abs(I32(file, cell)))
            {
                cells.Add(cell);
            }
        }

        return cells;
    }

    private static int I32(byte[] file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));

    private static byte[] Rich(Random random, SubkeyLists lists)
    {
        var root = new KeySpec("root") { Lists = lists, Security = [1, 2], ClassName = "class" }
            .With([.. Enumerable.Range(0, 8).Select(i => new KeySpec($"Key{i} é")
            {
                Layer = (byte)random.Next(4),
                Security = [(byte)random.Next(3)],
                Lists = SubkeyLists.Fast,
                ClassName = i % 3 == 0 ? "c" : string.Empty,
                WideName = i % 2 == 0,
            }
            .With(new KeySpec("日本").With(new KeySpec("leaf")), new KeySpec("b"))
            .With(ValueSpec.Text("text", "value"), ValueSpec.Tombstone("gone"), new ValueSpec(string.Empty, 4, [1, 2, 3, 4])))])
            .With(new ValueSpec("segments", 3, new byte[33_000]), new ValueSpec("é日", 3, new byte[10]));
        return new HiveBuilder(root).Build();
    }
}
