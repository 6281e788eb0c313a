namespace CimConvert.Formats.Regf;

/// <summary>
/// Reads an untrusted hive. Walks keys without recursion; every offset must be that of a cell in use, and every cell except
/// security descriptors must have one owner (<see cref="CellMap"/>).
/// </summary>
internal sealed class HiveReader
{
    private readonly CellMap _cells;
    private readonly NamePool _names = new();
    private readonly SubkeyListReader _lists;
    private readonly ValueReader _values;
    private readonly SecurityReader _security;
    private readonly List<CellOffset> _children = [];
    private readonly Stack<Pending> _pending = new();

    private HiveReader(CellMap cells)
    {
        _cells = cells;
        _lists = new SubkeyListReader(cells);
        _values = new ValueReader(cells, _names);
        _security = new SecurityReader(cells);
    }

    /// <summary>Reads a primary file. The hive refers to <paramref name="file"/>, which must not change while the hive is in use.</summary>
    /// <exception cref="InvalidDataException">The hive is malformed or dirty; the message names the offending cell.</exception>
    public static Hive Read(ReadOnlyMemory<byte> file)
    {
        var block = BaseBlockReader.Read(file.Span);
        var reader = new HiveReader(new CellMap(file.Slice(BaseBlockField.Size, block.BinsSize)));
        return new Hive(reader.ReadTree(block.Root))
        {
            MinorVersion = block.MinorVersion,
            LastWritten = block.LastWritten,
            FileName = block.FileName,
        };
    }

    private HiveKey ReadTree(CellOffset rootCell)
    {
        var root = ReadKey(rootCell, parent: null, depth: 0);
        while (_pending.TryPop(out var next))
        {
            _lists.Read(next.List, next.Count, _children);
            var subkeys = new HiveKey[_children.Count];
            for (var i = 0; i < subkeys.Length; i++)
            {
                subkeys[i] = ReadKey(_children[i], next.Cell, next.Depth + 1);
            }

            if (HiveKey.Sort(subkeys) is { } twice)
            {
                throw RegfError.At(next.Cell, $"key has two subkeys named '{twice}'");
            }

            next.Key.Attach(subkeys);
        }

        return root;
    }

    /// <summary>Reads a key without its subkeys, which it pushes on the stack.</summary>
    private HiveKey ReadKey(CellOffset offset, CellOffset? parent, int depth)
    {
        if (depth > RegfLimits.Depth)
        {
            throw RegfError.At(offset, $"keys are nested more than {RegfLimits.Depth} deep");
        }

        var cell = _cells.Claim(offset);
        cell.Expect(Signatures.Key);
        if (parent is { } listedUnder && cell.Offset(KeyField.Parent) != listedUnder)
        {
            throw RegfError.At(offset, $"key is listed under {listedUnder} and names {cell.Offset(KeyField.Parent)} as its parent");
        }

        var flags = (HiveKeyFlags)cell.U16(KeyField.Flags);
        var layer = cell.Byte(KeyField.Layer);
        var hasHandle = flags.HasFlag(HiveKeyFlags.PredefinedHandle);
        var valueCount = cell.U32(KeyField.ValueCount);
        var key = new HiveKey(ReadName(cell, flags, isRoot: parent is null))
        {
            Flags = flags & ~(HiveKeyFlags.Root | HiveKeyFlags.CompressedName),
            LastWritten = cell.I64(KeyField.LastWritten),
            AccessBits = cell.Byte(KeyField.AccessBits),
            Layer = (LayerSemantics)(layer & KeyField.LayerSemanticsMask),
            InheritsClass = (layer & KeyField.InheritClassBit) != 0,
            ControlFlags = cell.Byte(KeyField.ControlFlags),
            DebugFlags = cell.Byte(KeyField.DebugFlags),
            ClassName = ReadClassName(cell),
            Security = _security.Read(cell.Offset(KeyField.Security)),
            PredefinedHandle = hasHandle ? valueCount : 0,
            Values = hasHandle ? [] : _values.Read(cell.Offset(KeyField.ValueList), valueCount),
        };

        var count = cell.U32(KeyField.SubkeyCount);
        if (count > _cells.Capacity(KeyField.Name))
        {
            throw RegfError.At(offset, $"counts {count} subkeys, more than the hive has room for");
        }

        if (count > 0)
        {
            _pending.Push(new Pending(key, offset, cell.Offset(KeyField.SubkeyList), count, depth));
        }

        return key;
    }

    private string ReadName(in CellReader cell, HiveKeyFlags flags, bool isRoot)
    {
        var stored = cell.Bytes(KeyField.Name, cell.U16(KeyField.NameLength));
        var compressed = flags.HasFlag(HiveKeyFlags.CompressedName);
        return NamePool.Units(stored, compressed) switch
        {
            0 when !isRoot => throw RegfError.At(cell.Cell, "key has no name"),
            > RegfLimits.KeyName => throw RegfError.At(cell.Cell, $"key's name is longer than {RegfLimits.KeyName} characters"),
            _ => _names.Get(stored, compressed),
        };
    }

    private ReadOnlyMemory<byte> ReadClassName(in CellReader key)
    {
        var length = key.U16(KeyField.ClassNameLength);
        if (length == 0)
        {
            return default;
        }

        var cell = _cells.Claim(key.Offset(KeyField.ClassName));
        return _cells.Slice(cell, 0, length);
    }

    /// <summary>A key whose subkeys are still to be read.</summary>
    private readonly record struct Pending(HiveKey Key, CellOffset Cell, CellOffset List, uint Count, int Depth);
}
