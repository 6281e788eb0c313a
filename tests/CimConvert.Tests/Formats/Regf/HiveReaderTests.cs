using System.Buffers.Binary;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

internal sealed class HiveReaderTests
{
    private const int FirstCell = BinField.HeaderSize;
    private const int FirstKey = FirstCell + CellField.SizeLength;

    [Test]
    public void An_empty_hive_as_Windows_makes_it()
    {
        var hive = HiveReader.Read(HiveFiles.WindowsEmpty());
        Assert.That(hive.Root.Name, Is.EqualTo("TempEmpty_DEFAULT"));
        Assert.That(hive.MinorVersion, Is.EqualTo(3));
        Assert.That(hive.FileName, Is.EqualTo(@"mage\temp_hives_extract\DEFAULT"));
        Assert.That(hive.Root.LastWritten, Is.EqualTo(0x01DC6555_7341D15E));
        Assert.That(hive.Root.Flags, Is.EqualTo(HiveKeyFlags.NoDelete));
        Assert.That(hive.Root.AccessBits, Is.EqualTo(2));
        Assert.That(hive.Root.Security!.Descriptor.Length, Is.EqualTo(0x90));
        Assert.That(hive.Root.Subkeys, Is.Empty);
    }

    [TestCase(3u)]
    [TestCase(4u)]
    [TestCase(5u)]
    [TestCase(6u)]
    public void Every_version_and_every_field(uint minorVersion)
    {
        var root = new KeySpec("root").With(new KeySpec("key")
        {
            Flags = (ushort)(HiveKeyFlags.SymbolicLink | HiveKeyFlags.VirtualStore),
            LastWritten = 123_456_789,
            AccessBits = 3,
            Layer = 0x82,
            ControlFlags = 0xA5,
            DebugFlags = 0x5A,
            ClassName = "Clässe",
            Security = [1, 2, 3],
        });
        var hive = HiveReader.Read(new HiveBuilder(root) { MinorVersion = minorVersion, FileName = "name", LastWritten = 42 }.Build());
        var key = hive.Root.Subkeys.Single();
        Assert.That((hive.MinorVersion, hive.FileName, hive.LastWritten), Is.EqualTo(((int)minorVersion, "name", 42L)));
        Assert.That(key.Flags, Is.EqualTo(HiveKeyFlags.SymbolicLink | HiveKeyFlags.VirtualStore));
        Assert.That((key.LastWritten, key.AccessBits, key.ControlFlags, key.DebugFlags), Is.EqualTo((123_456_789L, 3, 0xA5, 0x5A)));
        Assert.That((key.Layer, key.InheritsClass), Is.EqualTo((LayerSemantics.SupersedeLocal, true)));
        Assert.That(System.Text.Encoding.Unicode.GetString(key.ClassName.Span), Is.EqualTo("Clässe"));
        Assert.That(key.Security!.Descriptor.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void Values_of_every_kind_of_storage()
    {
        var root = new KeySpec("root").With(
            new ValueSpec(string.Empty, 1, []),
            new ValueSpec("inline", 3, [1, 2, 3]),
            new ValueSpec("cell", 3, new byte[5]),
            new ValueSpec("one large cell", 3, new byte[100_000]) { InOneCell = true },
            new ValueSpec("segments", 3, [.. Enumerable.Range(0, 40_000).Select(i => (byte)(i / 7))]),
            new ValueSpec("wide ä", 3, [9]) { WideName = true },
            ValueSpec.Tombstone("gone"));
        var values = HiveFiles.Read(root).Root.Values;
        Assert.That(values.Select(v => v.Name), Is.EqualTo(root.Values.Select(v => v.Name)));
        Assert.That(values.Select(v => v.Data.ToArray()), Is.EqualTo(root.Values.Select(v => v.Data)));
        Assert.That(values.Select(v => v.IsTombstone), Is.EqualTo(root.Values.Select(v => v.IsTombstone)));
    }

    [Test]
    public void A_predefined_handle_in_place_of_a_count()
    {
        var key = new KeySpec("009") { Flags = (ushort)HiveKeyFlags.PredefinedHandle, ValueCount = 0x8000_0060 };
        var hive = HiveFiles.Read(new KeySpec("root").With(key));
        Assert.That(hive.Root.Subkeys[0].PredefinedHandle, Is.EqualTo(0x8000_0060));
        Assert.That(HiveReader.Read(HiveFiles.Write(hive)).Root.Subkeys[0].PredefinedHandle, Is.EqualTo(0x8000_0060));
    }

    [Test]
    public void Subkeys_come_sorted_by_upcased_name_whatever_the_lists_say()
    {
        var root = new KeySpec("root") { Lists = SubkeyLists.Root }
            .With(new KeySpec("_"), new KeySpec("b"), new KeySpec("A"), new KeySpec("\u00E4"), new KeySpec("C"), new KeySpec("ab"));
        Assert.That(HiveFiles.Read(root).Root.Subkeys.Select(key => key.Name), Is.EqualTo((string[])["A", "ab", "b", "C", "_", "\u00E4"]));
    }

    [Test]
    public void Lookups_disregard_case()
    {
        var hive = HiveFiles.Read(new KeySpec("root").With(new KeySpec("Straße").With(new KeySpec("ÄB").With(ValueSpec.Text("Näme", "x")))));
        Assert.That(hive.Find(@"\STRAßE\äb", out var path)!.FindValue("NÄME"), Is.Not.Null);
        Assert.That(path, Is.EqualTo(@"\Straße\ÄB"));
        Assert.That(hive.Find(@"\none", out _), Is.Null);
    }

    [TestCase(BaseBlockField.PrimarySequence, 7u, "dirty", TestName = "A dirty hive")]
    [TestCase(BaseBlockField.MajorVersion, 2u, "version 2.5", TestName = "Another major version")]
    [TestCase(BaseBlockField.MinorVersion, 7u, "version 1.7", TestName = "Another minor version")]
    [TestCase(BaseBlockField.FileType, 1u, "file type 1", TestName = "A transaction log")]
    [TestCase(BaseBlockField.RootCell, 0xFFFF_FFFFu, "cell offset none", TestName = "No root")]
    [TestCase(BaseBlockField.RootCell, 0x7FFF_FFF0u, "0x7FFFFFF0", TestName = "A root past the end")]
    [TestCase(BaseBlockField.RootCell, 36u, "0x00000024", TestName = "A root off the grid")]
    [TestCase(BaseBlockField.BinsSize, 0u, "whole pages", TestName = "No bins")]
    [TestCase(BaseBlockField.BinsSize, 100u, "whole pages", TestName = "Bins of part of a page")]
    [TestCase(BaseBlockField.BinsSize, 0xFFFF_F000u, "past the end", TestName = "Bins longer than the file")]
    public void A_base_block_that_is_wrong(int field, uint value, string message)
    {
        var file = new HiveBuilder(new KeySpec("root")).Build();
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(field), value);
        HiveBuilder.Reseal(file);
        AssertFails(file, message);
    }

    [Test]
    public void A_wrong_checksum()
    {
        var file = new HiveBuilder(new KeySpec("root")).Build();
        file[100] ^= 1;
        AssertFails(file, "checksum");
    }

    [Test]
    public void A_file_cut_short()
    {
        var file = new HiveBuilder(new KeySpec("root").With(new ValueSpec("v", 3, new byte[10_000]))).Build();
        AssertFails(file[..100], "too few");
        AssertFails(file[..^4096], "past the end");
    }

    // The root's cell is the first.
    [TestCase(FirstCell, 0, "0x00000020", TestName = "A cell of no size")]
    [TestCase(FirstCell, -12, "0x00000020", TestName = "A cell of odd size")]
    [TestCase(FirstCell, int.MinValue, "0x00000020", TestName = "A cell past its bin")]
    [TestCase(FirstKey + KeyField.SubkeyCount, 1_000_000, "0x00000020", TestName = "More subkeys than fit the hive")]
    [TestCase(FirstKey + KeyField.SubkeyCount, 3, "counts 3", TestName = "A wrong number of subkeys")]
    [TestCase(FirstKey + KeyField.SubkeyList, FirstCell, "used twice", TestName = "A list that is the key itself")]
    [TestCase(FirstKey + KeyField.ValueCount, 0x7FFF_FFFF, "values does not fit", TestName = "A huge number of values")]
    [TestCase(FirstKey + KeyField.ValueList, 0x7000_0000, "0x70000000", TestName = "Values past the end")]
    [TestCase(FirstKey + KeyField.Security, FirstCell, "used twice", TestName = "Security that is a key")]
    [TestCase(FirstKey + KeyField.NameLength, 0x0000_FFFF, "0x00000020", TestName = "A name past the end of its cell")]
    [TestCase(FirstKey + KeyField.ClassNameLength, 0x0000_0010, "none", TestName = "A class name that is nowhere")]
    public void A_record_that_is_wrong(int field, int value, string message)
    {
        var root = new KeySpec("rootroot").With(new KeySpec("a"), new KeySpec("b")).With(new ValueSpec("v", 1, [1, 2, 3, 4, 5]));
        var file = new HiveBuilder(root).Build();
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(HiveBuilder.BaseBlockSize + field), value);
        AssertFails(file, message);
    }

    [Test]
    public void A_cycle_of_keys()
    {
        var file = new HiveBuilder(new KeySpec("root").With(new KeySpec("child"))).Build();
        var list = file.AsSpan().IndexOf("lh"u8);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(list + ListField.Elements), FirstCell);
        AssertFails(file, "0x00000020", "used twice");
    }

    [Test]
    public void A_value_in_two_lists()
    {
        var file = new HiveBuilder(new KeySpec("root").With(new ValueSpec("a", 1, [1]), new ValueSpec("b", 1, [1]))).Build();
        var first = file.AsSpan().IndexOf("vk"u8) - CellField.SizeLength - HiveBuilder.BaseBlockSize;
        var second = file.AsSpan(HiveBuilder.BaseBlockSize + first + 8).IndexOf("vk"u8) + first + 8 - CellField.SizeLength;
        var list = file.AsSpan().IndexOf([.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(second)]);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(list + OffsetList.Element), first);
        AssertFails(file, "used twice");
    }

    [Test]
    public void A_ring_of_descriptors_that_is_broken()
    {
        var file = new HiveBuilder(new KeySpec("root") { Security = [1] }.With(new KeySpec("child") { Security = [2] })).Build();
        var first = file.AsSpan().IndexOf("sk"u8);
        var itself = first - CellField.SizeLength - HiveBuilder.BaseBlockSize;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(first + SecurityField.Next), itself);
        AssertFails(file, $"0x{itself:X8}", "ring");
    }

    [Test]
    public void Two_subkeys_of_one_name() =>
        AssertFails(new HiveBuilder(new KeySpec("root").With(new KeySpec("Same"), new KeySpec("sAME"))).Build(), "two subkeys named");

    [Test]
    public void A_key_under_another_parent_than_it_names()
    {
        var file = new HiveBuilder(new KeySpec("root").With(new KeySpec("child"))).Build();
        var child = file.AsSpan().LastIndexOf("nk"u8);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(child + KeyField.Parent), 64);
        AssertFails(file, "as its parent");
    }

    [TestCase(512, null)]
    [TestCase(513, "nested more than 512 deep")]
    public void Keys_nested_at_and_over_the_limit(int depth, string? message)
    {
        var key = new KeySpec("leaf");
        for (var i = 0; i < depth; i++)
        {
            key = new KeySpec("k").With(key);
        }

        var file = new HiveBuilder(key).Build();
        if (message is null)
        {
            Assert.DoesNotThrow(() => HiveReader.Read(file));
        }
        else
        {
            AssertFails(file, message);
        }
    }

    [TestCase(256, null)]
    [TestCase(257, "longer than 256")]
    public void Names_at_and_over_the_limit(int length, string? message)
    {
        var file = new HiveBuilder(new KeySpec("root").With(new KeySpec(new string('n', length)))).Build();
        if (message is null)
        {
            Assert.That(HiveReader.Read(file).Root.Subkeys[0].Name, Has.Length.EqualTo(length));
        }
        else
        {
            AssertFails(file, message);
        }
    }

    private static void AssertFails(byte[] file, params string[] messages)
    {
        var error = Assert.Throws<InvalidDataException>(() => HiveReader.Read(file));
        foreach (var message in messages)
        {
            Assert.That(error!.Message, Does.Contain(message));
        }
    }
}
