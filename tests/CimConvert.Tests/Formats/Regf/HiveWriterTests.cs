using System.Buffers.Binary;
using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

internal sealed class HiveWriterTests
{
    private const int BaseBlock = HiveBuilder.BaseBlockSize;

    [Test]
    public void Writing_what_was_read_gives_the_same_tree_and_the_same_bytes_again()
    {
        var read = HiveReader.Read(new HiveBuilder(Everything()) { FileName = @"\config\SOFTWARE", LastWritten = 99 }.Build());
        var (first, second) = (HiveFiles.Write(read), HiveFiles.Write(read));
        var again = HiveReader.Read(first);
        Assert.That(second, Is.EqualTo(first));
        Assert.That(HiveFiles.Dump(again), Is.EqualTo(HiveFiles.Dump(read)));
        Assert.That((again.FileName, again.LastWritten), Is.EqualTo((read.FileName, read.LastWritten)));
        Assert.That(HiveFiles.Write(again), Is.EqualTo(first));
    }

    [Test]
    public void An_empty_hive_as_Windows_makes_it_survives()
    {
        var read = HiveReader.Read(HiveFiles.WindowsEmpty());
        var again = HiveReader.Read(HiveFiles.Write(read));
        Assert.That(HiveFiles.Dump(again), Is.EqualTo(HiveFiles.Dump(read)));
        Assert.That((again.FileName, again.LastWritten, again.MinorVersion), Is.EqualTo((read.FileName, read.LastWritten, 5)));
    }

    [Test]
    public void The_base_block_is_clean_and_sealed()
    {
        var file = HiveFiles.Write(HiveFiles.Read(new KeySpec("root")));
        var sealedAgain = file.ToArray();
        HiveBuilder.Reseal(sealedAgain);
        Assert.That(sealedAgain, Is.EqualTo(file));
        Assert.That(U32(file, BaseBlockField.PrimarySequence), Is.EqualTo(U32(file, BaseBlockField.SecondarySequence)));
        Assert.That((U32(file, BaseBlockField.MajorVersion), U32(file, BaseBlockField.MinorVersion)), Is.EqualTo((1u, 5u)));
        Assert.That(U32(file, BaseBlockField.Flags), Is.Zero);
        Assert.That(U32(file, BaseBlockField.BinsSize), Is.EqualTo(file.Length - BaseBlock));
    }

    [Test]
    public void A_hive_with_layer_marks_says_so()
    {
        var file = HiveFiles.Write(HiveFiles.Read(new KeySpec("root").With(ValueSpec.Tombstone("v"))));
        Assert.That((U32(file, BaseBlockField.MinorVersion), U32(file, BaseBlockField.Flags)), Is.EqualTo((6u, 2u)));
    }

    [Test]
    public void Bins_are_whole_pages_filled_with_cells()
    {
        var file = HiveFiles.Write(HiveFiles.Read(Everything()));
        var free = 0;
        for (var bin = BaseBlock; bin < file.Length; bin += (int)U32(file, bin + BinField.Size))
        {
            var end = bin + (int)U32(file, bin + BinField.Size);
            Assert.That(file.AsSpan(bin, 4).ToArray(), Is.EqualTo("hbin"u8.ToArray()));
            Assert.That(U32(file, bin + BinField.Offset), Is.EqualTo(bin - BaseBlock));
            Assert.That((end - bin) % BinField.Page, Is.Zero);
            for (var cell = bin + BinField.HeaderSize; cell < end;)
            {
                var size = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(cell));
                free += size > 0 ? 1 : 0;
                Assert.That(size < 0 || cell + size == end, "only the last cell of a bin is free");
                Assert.That(size % 8, Is.Zero);
                cell += Math.Abs(size);
            }
        }

        Assert.That(free, Is.Positive);
    }

    [Test]
    public void Descriptors_are_shared_counted_and_in_a_ring()
    {
        var root = new KeySpec("root") { Security = [1] }.With(
            new KeySpec("a") { Security = [2] },
            new KeySpec("b") { Security = [1] },
            new KeySpec("c"),
            new KeySpec("d") { Security = [1] });
        var file = HiveFiles.Write(HiveFiles.Read(root));
        var cells = Positions(file, "sk");
        Assert.That(cells, Has.Count.EqualTo(2));
        Assert.That(cells.Select(at => U32(file, at + SecurityField.ReferenceCount)), Is.EqualTo((uint[])[3, 1]));
        Assert.That(cells.Select(at => U32(file, at + SecurityField.Next)), Is.EqualTo((uint[])[CellOf(cells[1]), CellOf(cells[0])]));
        Assert.That(cells.Select(at => U32(file, at + SecurityField.Previous)), Is.EqualTo((uint[])[CellOf(cells[1]), CellOf(cells[0])]));
    }

    [Test]
    public void The_largest_of_each_are_told_as_the_registry_counts_them()
    {
        var root = new KeySpec("root")
            .With(new KeySpec("four") { ClassName = "cls" }, new KeySpec("日") { ClassName = "c" })
            .With(new ValueSpec("fivee", 3, new byte[7]), new ValueSpec("日本", 3, [1]));
        var file = HiveFiles.Write(HiveFiles.Read(root));
        var key = BaseBlock + (int)U32(file, BaseBlockField.RootCell) + CellField.SizeLength;
        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(key + KeyField.LargestSubkeyName)), Is.EqualTo(8));
        Assert.That(U32(file, key + KeyField.LargestSubkeyClass), Is.EqualTo(6));
        Assert.That(U32(file, key + KeyField.LargestValueName), Is.EqualTo(10));
        Assert.That(U32(file, key + KeyField.LargestValueData), Is.EqualTo(7));
    }

    [TestCase(507, 1, 0)]
    [TestCase(508, 2, 1)]
    [TestCase(1_015, 3, 1)]
    public void Lists_split_where_a_page_is_full(int subkeys, int leaves, int roots)
    {
        var root = new HiveKey("root") { Subkeys = [.. Enumerable.Range(0, subkeys).Select(i => new HiveKey($"{i:d5}"))] };
        var file = HiveFiles.Write(new Hive(root));
        Assert.That(Positions(file, "lh"), Has.Count.EqualTo(leaves));
        Assert.That(Positions(file, "ri"), Has.Count.EqualTo(roots));
        Assert.That(HiveReader.Read(file).Root.Subkeys.Select(key => key.Name), Is.EqualTo(root.Subkeys.Select(key => key.Name)));
    }

    [Test]
    public void Hashes_are_of_the_upcased_name()
    {
        var file = HiveFiles.Write(HiveFiles.Read(new KeySpec("root").With(new KeySpec("aB"))));
        var leaf = Positions(file, "lh").Single();
        Assert.That(U32(file, leaf + ListField.Elements + ListField.PlainElement), Is.EqualTo(('A' * 37) + 'B'));
    }

    [TestCase(0, 0x8000_0000u)]
    [TestCase(4, 0x8000_0004u)]
    [TestCase(5, 5u)]
    [TestCase(16_344, 16_344u)]
    [TestCase(16_345, 16_345u)]
    public void Data_lies_where_its_size_puts_it(int size, uint stored)
    {
        var file = HiveFiles.Write(new Hive(new HiveKey("root") { Values = [new HiveValue("v", 3, new byte[size])] }));
        Assert.That(U32(file, Positions(file, "vk").Single() + ValueField.DataSize), Is.EqualTo(stored));
        Assert.That(Positions(file, "db"), Has.Count.EqualTo(size > 16_344 ? 1 : 0));
    }

    [Test]
    public void Lone_surrogates_in_names_stay()
    {
        var root = new HiveKey("root") { Subkeys = [new HiveKey("\uD800x")], Values = [new HiveValue("\uDC00", 1, default)] };
        var again = HiveReader.Read(HiveFiles.Write(new Hive(root))).Root;
        Assert.That((again.Subkeys[0].Name, again.Values[0].Name), Is.EqualTo(("\uD800x", "\uDC00")));
    }

    private static KeySpec Everything() => new KeySpec("root") { Security = [1], Flags = 8 }
        .With(
            new KeySpec("wide 日本") { Layer = 0x83, ClassName = "cls", Security = [2], Flags = 0x10, ControlFlags = 0x21, DebugFlags = 4 }
                .With([.. Enumerable.Range(0, 600)
                    .Select(i => new KeySpec($"key{i:d4}") { LastWritten = i }.With(ValueSpec.Text("t", "v" + i)))]),
            new KeySpec("Latin é") { Lists = SubkeyLists.Index, AccessBits = 1 }.With(new KeySpec("x") { Layer = 1 }))
        .With(
            new ValueSpec(string.Empty, 1, []),
            new ValueSpec("z", 3, [1, 2, 3]),
            new ValueSpec("large", 3, Encoding.ASCII.GetBytes(new string('L', 40_000))),
            ValueSpec.Tombstone("gone"),
            new ValueSpec("a", 0x1234_5678, [1, 2, 3, 4, 5, 6, 7, 8, 9]));

    private static uint U32(byte[] file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));

    private static uint CellOf(int record) => (uint)(record - CellField.SizeLength - BaseBlock);

    /// <summary>Where records of that kind start: at the head of a cell in use.</summary>
    private static List<int> Positions(byte[] file, string signature)
    {
        var found = new List<int>();
        for (var bin = BaseBlock; bin < file.Length; bin += (int)U32(file, bin + BinField.Size))
        {
            var end = bin + (int)U32(file, bin + BinField.Size);
            for (var cell = bin + BinField.HeaderSize; cell < end; cell += Math.Abs((int)U32(file, cell)))
            {
                if ((int)U32(file, cell) < 0 && Encoding.ASCII.GetString(file, cell + CellField.SizeLength, 2) == signature)
                {
                    found.Add(cell + CellField.SizeLength);
                }
            }
        }

        return found;
    }
}
