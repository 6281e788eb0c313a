using System.Security.Cryptography;
using System.Text;
using CimConvert.TestKit;

namespace CimConvert.Tests.TestKit;

/// <summary>
/// The smallest CIM that has one of everything, laid by hand: region 0 metadata, 1 a page-aligned file, 2 small data.
/// <code>
/// (root 1)  A (2)  big (3)    5000 bytes
///           b (4)             5 bytes, security descriptor, EAs, reparse buffer, stream "s"
///           C (4)             hard link
/// </code>
/// </summary>
internal sealed class TinyCim
{
    public static readonly Guid SetId = new("01234567-89ab-cdef-0123-456789abcdef");
    public static readonly byte[] Big = SeededContent.Bytes(11, 5000);
    public static readonly byte[] Small = "small"u8.ToArray();
    public static readonly byte[] Stream = "stream!"u8.ToArray();
    public static readonly byte[] Descriptor = [1, 0, 4, 0x80, .. new byte[16]];
    public static readonly byte[] Ea = [0, 0, 0, 0, 0, 1, 1, 0, (byte)'E', 0, 7, 0];
    public static readonly byte[] Reparse = [1, 2, 3, 4, 5, 6, 7, 8];

    private const int BigAt = 4096;
    private const int SmallAt = 40;
    private const int StreamAt = 48;

    private readonly MemoryStream metadata = new();

    public TinyCim()
    {
        BinaryWriter region = new(metadata, Encoding.Unicode);
        region.Write(RegionHeader(0));
        DescriptorAt = Place(region, [.. BitConverter.GetBytes((ushort)Descriptor.Length), .. Descriptor]);
        EaAt = Place(region, Ea);
        ReparseAt = Place(region, [.. BitConverter.GetBytes((ushort)Reparse.Length), .. Reparse]);
        StreamTableAt = Place(region, Table(("s", StreamBytes(2, StreamAt, Stream.Length, 0))));
        RootTableAt = Place(region, Table(("A", Id(2)), ("b", Id(4)), ("C", Id(4))));
        byte[] folder = Table(("big", Id(3)));
        FolderTableAt = Place(region, folder);
        FilesAt = Place(
            region,
            [
                .. FileEntry(0, 0, StreamBytes(0, RootTableAt, Table(("A", Id(2)), ("b", Id(4)), ("C", Id(4))).Length, 1)),
                .. FileEntry(2, 1, StreamBytes(0, FolderTableAt, folder.Length, 1)),
                .. FileEntry(8, 2, StreamBytes(1, BigAt, Big.Length, 0)),
                .. FileEntry(0x0108, 1, StreamBytes(2, SmallAt, Small.Length, 0), full: true),
            ]);
        FileDirectoryAt = Place(region, [.. Offset(0, FilesAt), .. Number(4, 2), .. Number(96, 2), .. Number(0, 4)]);
        UpcaseAt = Place(region, [.. Enumerable.Range(0, 0x10000).SelectMany(unit => Number(unit is >= 'a' and <= 'z' ? unit - 32 : unit, 2))]);
        FileSystemAt = Place(region, [.. Offset(0, UpcaseAt), .. Offset(0, FileDirectoryAt), .. Number(1, 4), .. Number(1, 4)]);
    }

    public int DescriptorAt { get; }

    public int EaAt { get; }

    public int ReparseAt { get; }

    public int StreamTableAt { get; }

    public int RootTableAt { get; }

    public int FolderTableAt { get; }

    public int FilesAt { get; }

    public int FileDirectoryAt { get; }

    public int UpcaseAt { get; }

    public int FileSystemAt { get; }

    public static string RegionName(int index) => FormattableString.Invariant($"region_{SetId}_{index}");

    public static string ObjectIdName(int index) => FormattableString.Invariant($"objectid_{SetId}_{index}");

    /// <summary>Writes the set; <paramref name="regionsIn"/> may be another folder, as a parent's is.</summary>
    public void Write(TempFolder folder, string name = "tiny.cim", string regionsIn = "")
    {
        folder.Write(name, [.. Common(0, 72), .. Set(SetId, 3), .. Offset(0, FileSystemAt), .. Number(0, 4), .. Number(0, 2), .. Number(0, 2)]);
        WriteRegions(folder, regionsIn);
    }

    /// <summary>Writes a CIM with no regions of its own that has this one's as its parent's.</summary>
    public void WriteFork(TempFolder folder, string name, string regionsIn)
    {
        folder.Write(
            name,
            [
                .. Common(0, 96), .. Set(new Guid("ffffffff-89ab-cdef-0123-456789abcdef"), 0), .. Offset(0, FileSystemAt),
                .. Number(0, 4), .. Number(0, 2), .. Number(1, 2), .. Set(SetId, 3),
            ]);
        WriteRegions(folder, regionsIn);
    }

    public static byte[] Number(long value, int length) => BitConverter.GetBytes(value)[..length];

    private static byte[] Common(byte type, int headerLength) =>
        [.. "cimfile0"u8, .. Number(headerLength, 4), type, 0, 0, 0, .. Number(2, 4), .. Number(0, 4), .. Number(0, 8)];

    private static byte[] RegionHeader(int index) => [.. Common(1, 40), .. Number(index, 2), (byte)index, 0, .. Number(0, 4)];

    private static byte[] Set(Guid id, int count) => [.. id.ToByteArray(), .. Number(count, 2), .. Number(0, 2), .. Number(0, 4)];

    private static byte[] Offset(int region, int at) => Number(((long)region << 48) + at, 8);

    private static byte[] Id(int id) => Number(id, 4);

    private static byte[] StreamBytes(int region, int at, int length, int type) => [.. Offset(region, at), .. Number(length + ((long)type << 48), 8)];

    private static byte[] Table(params (string Name, byte[] Value)[] links)
    {
        int names = 8 + links.Sum(link => link.Value.Length + 4);
        List<byte> offsets = [];
        List<byte> text = [];
        foreach ((string name, _) in links)
        {
            offsets.AddRange(Number(names + text.Count, 4));
            text.AddRange([.. Number(name.Length, 2), .. Encoding.Unicode.GetBytes(name)]);
        }

        return [.. Number(names + text.Count, 4), .. Number(links.Length, 4), .. links.SelectMany(link => link.Value), .. offsets, .. text];
    }

    private static byte[] ObjectIds(int index, params (byte[] Data, int At)[] objects) =>
    [
        .. Common(2, 48), .. Number(index, 2), (byte)index, 0, .. Number(0, 4), .. Number(48, 4), .. Number(objects.Length, 4),
        .. objects.SelectMany(item => (byte[])[.. Number(item.Data.Length, 8), .. SHA256.HashData(item.Data)[..24], .. Number(item.At, 8)]),
    ];

    private static int Place(BinaryWriter region, byte[] bytes)
    {
        while (region.BaseStream.Length % 8 != 0)
        {
            region.Write((byte)0);
        }

        int at = (int)region.BaseStream.Length;
        region.Write(bytes);
        return at;
    }

    private byte[] FileEntry(int flags, int parent, byte[] stream, bool full = false) =>
    [
        .. Number(flags, 2), .. Number(full ? Ea.Length : 0, 2), .. Number(full ? 0xA000000C : 0, 4),
        .. Number(101, 8), .. Number(102, 8), .. Number(103, 8), .. Number(104, 8),
        .. stream,
        .. Number(full ? DescriptorAt : 0, 8), .. Number(full ? EaAt : 0, 8), .. Number(full ? ReparseAt : 0, 8), .. Number(full ? StreamTableAt : 0, 8),
        .. Number(parent, 4), .. Number(0, 4),
    ];

    private void WriteRegions(TempFolder folder, string where)
    {
        void Put(string name, byte[] bytes) => folder.Write(Path.Combine(where, name), bytes);

        Put(RegionName(0), metadata.ToArray());
        Put(RegionName(1), [.. RegionHeader(1), .. new byte[BigAt - 40], .. Big]);
        Put(RegionName(2), [.. RegionHeader(2), .. Small, 0, 0, 0, .. Stream]);
        Put(ObjectIdName(0), ObjectIds(0));
        Put(ObjectIdName(1), ObjectIds(1, (Big, BigAt)));
        Put(ObjectIdName(2), ObjectIds(2, (Small, SmallAt), (Stream, StreamAt)));
    }
}
