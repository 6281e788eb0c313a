using System.Buffers.Binary;
using System.Text;

namespace Converter.TestKit.Hives;

/// <summary>
/// Writes registry hives with everything Windows and other tools put in them: every kind of list, layer bytes, tombstones,
/// data in segments. Knows the format on its own account, from the public description; one big bin holds all cells.
/// </summary>
public sealed class HiveBuilder(KeySpec root)
{
    public const int BaseBlockSize = 4096;
    private const int BinHeader = 32;
    private const int Page = 4096;
    private const int Segment = 16_344;
    private const int KeysInALeaf = 3;
    private const uint Nowhere = 0xFFFF_FFFF;

    private readonly Dictionary<string, uint> _security = new(StringComparer.Ordinal);
    private byte[] _bin = new byte[Page];
    private int _used = BinHeader;

    public uint MinorVersion { get; init; } = 5;

    public uint Flags { get; init; }

    public string FileName { get; init; } = @"\config\TEST";

    public long LastWritten { get; init; } = 0x01D1_0000_0000_0000;

    public byte[] Build()
    {
        var rootCell = AddKey(root, Nowhere, isRoot: true);
        CloseRing();
        var size = (_used + Page - 1) / Page * Page;
        Grow(size);
        if (size > _used)
        {
            Put32(_used, (uint)(size - _used));
        }

        "hbin"u8.CopyTo(_bin);
        Put32(8, (uint)size);
        BinaryPrimitives.WriteInt64LittleEndian(_bin.AsSpan(20), LastWritten);

        var file = new byte[BaseBlockSize + size];
        _bin.AsSpan(0, size).CopyTo(file.AsSpan(BaseBlockSize));
        WriteBaseBlock(file, rootCell, (uint)size);
        return file;
    }

    /// <summary>Puts the right checksum into a base block that was tampered with.</summary>
    public static void Reseal(Span<byte> file)
    {
        var sum = 0u;
        for (var i = 0; i < 508; i += 4)
        {
            sum ^= BinaryPrimitives.ReadUInt32LittleEndian(file[i..]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(file[508..], sum == 0 ? 1 : sum == Nowhere ? Nowhere - 1 : sum);
    }

    private void WriteBaseBlock(byte[] file, uint rootCell, uint size)
    {
        "regf"u8.CopyTo(file);
        uint[] fields = [1, 1, (uint)LastWritten, (uint)(LastWritten >> 32), 1, MinorVersion, 0, 1, rootCell, size, 1];
        for (var i = 0; i < fields.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4 + (i * 4)), fields[i]);
        }

        Encoding.Unicode.GetBytes(FileName, file.AsSpan(48, 64));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(144), Flags);
        Reseal(file);
    }

    private uint AddKey(KeySpec key, uint parent, bool isRoot = false)
    {
        var wide = key.WideName || key.Name.Any(c => c > 0xFF);
        var name = (wide ? Encoding.Unicode : Encoding.Latin1).GetBytes(key.Name);
        var at = AddCell(76 + name.Length);
        var body = at + 4;
        var className = Encoding.Unicode.GetBytes(key.ClassName);
        PutText(body, "nk");
        Put16(body + 2, (ushort)(key.Flags | (isRoot ? 4 : 0) | (wide ? 0 : 0x20)));
        BinaryPrimitives.WriteInt64LittleEndian(_bin.AsSpan(body + 4), key.LastWritten);
        _bin[body + 12] = key.AccessBits;
        _bin[body + 13] = key.Layer;
        Put32(body + 16, parent);
        Put32(body + 20, (uint)key.Subkeys.Count);
        Put32(body + 32, Nowhere);
        Put32(body + 36, key.ValueCount ?? (uint)key.Values.Count);
        _bin[body + 54] = key.ControlFlags;
        _bin[body + 55] = key.DebugFlags;
        Put16(body + 72, (ushort)name.Length);
        Put16(body + 74, (ushort)className.Length);
        name.CopyTo(_bin, body + 76);

        Put32(body + 44, AddSecurity(key.Security));
        Put32(body + 48, className.Length == 0 ? Nowhere : AddBytes(className));
        Put32(body + 40, AddList([.. key.Values.Select(AddValue)]));
        uint[] subkeys = [.. key.Subkeys.Select(subkey => AddKey(subkey, (uint)at))];
        Put32(body + 28, subkeys.Length == 0 ? Nowhere : AddSubkeys(key, subkeys));
        return (uint)at;
    }

    private uint AddSubkeys(KeySpec key, uint[] subkeys)
    {
        (uint At, string Name)[] all = [.. subkeys.Zip(key.Subkeys, (at, spec) => (at, spec.Name))];
        if (key.Lists is SubkeyLists.Hash or SubkeyLists.Fast or SubkeyLists.Index)
        {
            return AddLeaf(key.Lists, all);
        }

        uint[] leaves = [.. all.Chunk(KeysInALeaf).Select((part, i) => AddLeaf((SubkeyLists)(i % 3), part))];
        var top = AddOffsets("ri", leaves);
        return key.Lists == SubkeyLists.Root ? top : AddOffsets("ri", [top]);
    }

    private uint AddLeaf(SubkeyLists kind, (uint At, string Name)[] keys)
    {
        if (kind == SubkeyLists.Index)
        {
            return AddOffsets("li", [.. keys.Select(key => key.At)]);
        }

        var at = AddCell(4 + (keys.Length * 8));
        PutText(at + 4, kind == SubkeyLists.Hash ? "lh" : "lf");
        Put16(at + 6, (ushort)keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            Put32(at + 8 + (i * 8), keys[i].At);
            Put32(at + 12 + (i * 8), kind == SubkeyLists.Hash ? Hash(keys[i].Name) : Hint(keys[i].Name));
        }

        return (uint)at;
    }

    private static uint Hash(string name) => name.ToUpperInvariant().Aggregate(0u, (hash, c) => unchecked((hash * 37) + c));

    private static uint Hint(string name) =>
        name.Take(4).Select((c, i) => c > 0xFF ? 0u : (uint)c << (8 * i)).Aggregate(0u, (hint, c) => hint | c);

    private uint AddOffsets(string signature, uint[] offsets)
    {
        var at = AddCell(4 + (offsets.Length * 4));
        PutText(at + 4, signature);
        Put16(at + 6, (ushort)offsets.Length);
        for (var i = 0; i < offsets.Length; i++)
        {
            Put32(at + 8 + (i * 4), offsets[i]);
        }

        return (uint)at;
    }

    private uint AddValue(ValueSpec value)
    {
        var wide = value.WideName || value.Name.Any(c => c > 0xFF);
        var name = (wide ? Encoding.Unicode : Encoding.Latin1).GetBytes(value.Name);
        var inline = value.Data.Length <= 4;
        var data = inline ? 0 : AddData(value);
        var at = AddCell(20 + name.Length);
        var body = at + 4;
        PutText(body, "vk");
        Put16(body + 2, (ushort)name.Length);
        Put32(body + 4, value.IsTombstone ? 0 : (uint)value.Data.Length | (inline ? 0x8000_0000u : 0));
        Put32(body + 8, value.IsTombstone ? Nowhere : data);
        if (inline)
        {
            value.Data.CopyTo(_bin, body + 8);
        }

        Put32(body + 12, value.Type);
        Put16(body + 16, (ushort)((wide ? 0 : 1) | (value.IsTombstone ? 2 : 0)));
        name.CopyTo(_bin, body + 20);
        return (uint)at;
    }

    private uint AddData(ValueSpec value)
    {
        if (value.Data.Length <= Segment || value.InOneCell)
        {
            return AddBytes(value.Data);
        }

        var list = AddList([.. value.Data.Chunk(Segment).Select(AddBytes)]);
        var at = AddCell(8);
        PutText(at + 4, "db");
        Put16(at + 6, (ushort)((value.Data.Length + Segment - 1) / Segment));
        Put32(at + 8, list);
        return (uint)at;
    }

    private uint AddSecurity(byte[]? descriptor)
    {
        if (descriptor is null)
        {
            return Nowhere;
        }

        var content = Convert.ToHexString(descriptor);
        if (!_security.TryGetValue(content, out var at))
        {
            at = (uint)AddCell(20 + descriptor.Length);
            PutText((int)at + 4, "sk");
            Put32((int)at + 20, (uint)descriptor.Length);
            descriptor.CopyTo(_bin, (int)at + 24);
            _security.Add(content, at);
        }

        Put32((int)at + 16, BinaryPrimitives.ReadUInt32LittleEndian(_bin.AsSpan((int)at + 16)) + 1);
        return at;
    }

    private void CloseRing()
    {
        uint[] ring = [.. _security.Values.Order()];
        for (var i = 0; i < ring.Length; i++)
        {
            Put32((int)ring[i] + 8, ring[(i + 1) % ring.Length]);
            Put32((int)ring[i] + 12, ring[(i + ring.Length - 1) % ring.Length]);
        }
    }

    private uint AddBytes(byte[] data)
    {
        var at = AddCell(data.Length);
        data.CopyTo(_bin, at + 4);
        return (uint)at;
    }

    private uint AddList(uint[] offsets)
    {
        if (offsets.Length == 0)
        {
            return Nowhere;
        }

        var at = AddCell(offsets.Length * 4);
        for (var i = 0; i < offsets.Length; i++)
        {
            Put32(at + 4 + (i * 4), offsets[i]);
        }

        return (uint)at;
    }

    private int AddCell(int payload)
    {
        var at = _used;
        var size = (4 + payload + 7) / 8 * 8;
        Grow(_used + size);
        _used += size;
        BinaryPrimitives.WriteInt32LittleEndian(_bin.AsSpan(at), -size);
        return at;
    }

    private void Grow(int size)
    {
        if (size > _bin.Length)
        {
            Array.Resize(ref _bin, Math.Max(size, _bin.Length * 2));
        }
    }

    private void PutText(int at, string text) => Encoding.ASCII.GetBytes(text, _bin.AsSpan(at));

    private void Put16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(_bin.AsSpan(at), value);

    private void Put32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_bin.AsSpan(at), value);
}
