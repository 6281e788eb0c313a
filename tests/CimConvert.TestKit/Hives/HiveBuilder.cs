using System.Buffers.Binary;
using System.Text;

namespace CimConvert.TestKit.Hives;

/// <summary>
/// Writes registry hives with everything Windows and other tools put in them: every kind of list, layer bytes, tombstones,
/// data in segments. Knows the format on its own account, from the public description; one big bin holds all cells.
/// </summary>
public sealed class HiveBuilder(KeySpec root)
{
    public const int BaseBlockSize = 4096;
    private const int Checksum = 508;
    private const int BaseBlockFlags = 144;
    private const int KeyRecord = 76;
    private const int ValueRecord = 20;
    private const int SecurityRecord = 20;
    private const int ListHead = 4;
    private const int BigDataRecord = 8;
    private const int Segment = 16_344;
    private const int MostInline = 4;
    private const int KeysInALeaf = 3;
    private const uint Nowhere = 0xFFFF_FFFF;
    private const uint Inline = 0x8000_0000;

    private readonly CellHeap _cells = new();
    private readonly Dictionary<string, Descriptor> _security = new(StringComparer.Ordinal);

    public uint MinorVersion { get; init; } = 5;

    public uint Flags { get; init; }

    public string FileName { get; init; } = @"\config\TEST";

    public long LastWritten { get; init; } = 0x01D1_0000_0000_0000;

    public byte[] Build()
    {
        var rootCell = AddKey(root, Nowhere, isRoot: true);
        FillSecurity();
        var bins = _cells.Close(LastWritten);
        var file = new byte[BaseBlockSize + bins.Length];
        bins.CopyTo(file.AsSpan(BaseBlockSize));
        FillBaseBlock(file, rootCell, (uint)bins.Length);
        return file;
    }

    /// <summary>Puts the right checksum into a base block that was tampered with.</summary>
    public static void Reseal(Span<byte> file)
    {
        var sum = 0u;
        for (var i = 0; i < Checksum; i += sizeof(uint))
        {
            sum ^= BinaryPrimitives.ReadUInt32LittleEndian(file[i..]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(file[Checksum..], sum == 0 ? 1 : sum == Nowhere ? Nowhere - 1 : sum);
    }

    private void FillBaseBlock(byte[] file, uint rootCell, uint size)
    {
        var fields = new Fields(file);
        fields.Ascii("regf");
        fields.U32(1); // both sequence numbers: clean
        fields.U32(1);
        fields.I64(LastWritten);
        fields.U32(1); // major version
        fields.U32(MinorVersion);
        fields.U32(0); // primary file
        fields.U32(1); // direct memory load
        fields.U32(rootCell);
        fields.U32(size);
        fields.U32(1); // clustering factor
        fields.Bytes(Encoding.Unicode.GetBytes(FileName));
        fields.SkipTo(BaseBlockFlags);
        fields.U32(Flags);
        Reseal(file);
    }

    private uint AddKey(KeySpec key, uint parent, bool isRoot = false)
    {
        var (name, wide) = Encode(key.Name, key.WideName);
        var className = Encoding.Unicode.GetBytes(key.ClassName);
        var at = _cells.Add(KeyRecord + name.Length);
        var security = AddSecurity(key.Security);
        var classCell = className.Length == 0 ? Nowhere : _cells.Add(className);
        var values = AddList([.. key.Values.Select(AddValue)]);
        var subkeys = AddSubkeys(key, [.. key.Subkeys.Select(subkey => AddKey(subkey, at))]);

        var fields = _cells.Fill(at);
        fields.Ascii("nk");
        fields.U16(key.Flags | (isRoot ? 0x04 : 0) | (wide ? 0 : 0x20));
        fields.I64(key.LastWritten);
        fields.U8(key.AccessBits);
        fields.U8(key.Layer);
        fields.U16(0);
        fields.U32(parent);
        fields.U32((uint)key.Subkeys.Count);
        fields.U32(0); // volatile subkeys
        fields.U32(subkeys);
        fields.U32(Nowhere);
        fields.U32(key.ValueCount ?? (uint)key.Values.Count);
        fields.U32(values);
        fields.U32(security);
        fields.U32(classCell);
        fields.U16(0); // the largest of each are left at zero: no reader needs them
        fields.U8(key.ControlFlags);
        fields.U8(key.DebugFlags);
        fields.I64(0);
        fields.I64(0);
        fields.U16(name.Length);
        fields.U16(className.Length);
        fields.Bytes(name);
        return at;
    }

    private uint AddSubkeys(KeySpec key, uint[] subkeys)
    {
        if (subkeys.Length == 0)
        {
            return Nowhere;
        }

        (uint At, string Name)[] all = [.. subkeys.Zip(key.Subkeys, (at, spec) => (at, spec.Name))];
        if (key.Lists is SubkeyLists.Hash or SubkeyLists.Fast or SubkeyLists.Index)
        {
            return AddLeaf(key.Lists, all);
        }

        SubkeyLists[] kinds = [SubkeyLists.Hash, SubkeyLists.Fast, SubkeyLists.Index];
        uint[] leaves = [.. all.Chunk(KeysInALeaf).Select((part, i) => AddLeaf(kinds[i % kinds.Length], part))];
        var top = AddOffsets("ri", leaves);
        return key.Lists == SubkeyLists.Root ? top : AddOffsets("ri", [top]);
    }

    private uint AddLeaf(SubkeyLists kind, (uint At, string Name)[] keys)
    {
        if (kind == SubkeyLists.Index)
        {
            return AddOffsets("li", [.. keys.Select(key => key.At)]);
        }

        var at = _cells.Add(ListHead + (keys.Length * 2 * sizeof(uint)));
        var fields = _cells.Fill(at);
        fields.Ascii(kind == SubkeyLists.Hash ? "lh" : "lf");
        fields.U16(keys.Length);
        foreach (var key in keys)
        {
            fields.U32(key.At);
            fields.U32(kind == SubkeyLists.Hash ? Hash(key.Name) : Hint(key.Name));
        }

        return at;
    }

    private static uint Hash(string name) => name.ToUpperInvariant().Aggregate(0u, (hash, c) => unchecked((hash * 37) + c));

    private static uint Hint(string name) =>
        name.Take(sizeof(uint)).Select((c, i) => c > 0xFF ? 0u : (uint)c << (8 * i)).Aggregate(0u, (hint, c) => hint | c);

    private uint AddOffsets(string signature, uint[] offsets)
    {
        var at = _cells.Add(ListHead + (offsets.Length * sizeof(uint)));
        var fields = _cells.Fill(at);
        fields.Ascii(signature);
        fields.U16(offsets.Length);
        foreach (var offset in offsets)
        {
            fields.U32(offset);
        }

        return at;
    }

    private uint AddValue(ValueSpec value)
    {
        var (name, wide) = Encode(value.Name, value.WideName);
        var inline = value.Data.Length <= MostInline;
        var data = inline ? Nowhere : AddData(value);
        var at = _cells.Add(ValueRecord + name.Length);
        var fields = _cells.Fill(at);
        fields.Ascii("vk");
        fields.U16(name.Length);
        fields.U32(value.IsTombstone ? 0 : (uint)value.Data.Length | (inline ? Inline : 0));
        if (inline && !value.IsTombstone)
        {
            fields.Bytes([.. value.Data, .. new byte[MostInline - value.Data.Length]]);
        }
        else
        {
            fields.U32(data);
        }

        fields.U32(value.Type);
        fields.U16((wide ? 0 : 1) | (value.IsTombstone ? 2 : 0));
        fields.U16(0);
        fields.Bytes(name);
        return at;
    }

    private uint AddData(ValueSpec value)
    {
        if (value.Data.Length <= Segment || value.InOneCell)
        {
            return _cells.Add(value.Data);
        }

        uint[] segments = [.. value.Data.Chunk(Segment).Select(part => _cells.Add(part))];
        var list = AddList(segments);
        var at = _cells.Add(BigDataRecord);
        var fields = _cells.Fill(at);
        fields.Ascii("db");
        fields.U16(segments.Length);
        fields.U32(list);
        return at;
    }

    private uint AddList(uint[] offsets)
    {
        if (offsets.Length == 0)
        {
            return Nowhere;
        }

        var at = _cells.Add(offsets.Length * sizeof(uint));
        var fields = _cells.Fill(at);
        foreach (var offset in offsets)
        {
            fields.U32(offset);
        }

        return at;
    }

    private uint AddSecurity(byte[]? descriptor)
    {
        if (descriptor is null)
        {
            return Nowhere;
        }

        var content = Convert.ToHexString(descriptor);
        if (!_security.TryGetValue(content, out var known))
        {
            known = new Descriptor(_cells.Add(SecurityRecord + descriptor.Length), descriptor, Keys: 0);
        }

        _security[content] = known with { Keys = known.Keys + 1 };
        return known.At;
    }

    /// <summary>Done last, when all descriptors and their counts are known.</summary>
    private void FillSecurity()
    {
        Descriptor[] ring = [.. _security.Values.OrderBy(descriptor => descriptor.At)];
        for (var i = 0; i < ring.Length; i++)
        {
            var fields = _cells.Fill(ring[i].At);
            fields.Ascii("sk");
            fields.U16(0);
            fields.U32(ring[(i + 1) % ring.Length].At);
            fields.U32(ring[(i + ring.Length - 1) % ring.Length].At);
            fields.U32(ring[i].Keys);
            fields.U32((uint)ring[i].Bytes.Length);
            fields.Bytes(ring[i].Bytes);
        }
    }

    private static (byte[] Stored, bool Wide) Encode(string name, bool wide)
    {
        wide |= name.Any(c => c > 0xFF);
        return ((wide ? Encoding.Unicode : Encoding.Latin1).GetBytes(name), wide);
    }

    private sealed record Descriptor(uint At, byte[] Bytes, uint Keys);
}
