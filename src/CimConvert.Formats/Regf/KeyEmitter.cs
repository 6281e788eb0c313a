namespace CimConvert.Formats.Regf;

/// <summary>
/// Writes a key: its values, their list, its class name, the list of its subkeys, then its own cell.
/// <see cref="Measure"/> lays out exactly the cells that <see cref="Emit"/> adds, in the same order.
/// </summary>
internal sealed class KeyEmitter(BinEmitter emitter)
{
    private readonly List<CellOffset> _values = [];

    public static CellOffset Measure(HiveKey key, BinLayout layout)
    {
        if (key.ClassName.Length > ushort.MaxValue)
        {
            throw RegfError.Hive($"key '{key.Name}' has a class of {key.ClassName.Length} bytes, more than the format counts");
        }

        if (key.Flags.HasFlag(HiveKeyFlags.PredefinedHandle) && !key.Values.IsEmpty)
        {
            throw RegfError.Hive($"key '{key.Name}' stands for a predefined handle and cannot hold values");
        }

        foreach (ref readonly var value in key.Values.AsSpan())
        {
            ValueEmitter.Measure(value, layout);
        }

        if (!key.Values.IsEmpty)
        {
            layout.Place(key.Values.Length * OffsetList.Element);
        }

        if (!key.ClassName.IsEmpty)
        {
            layout.Place(key.ClassName.Length);
        }

        SubkeyListEmitter.Measure(key.Subkeys.Length, layout);
        return layout.Place(KeyField.Name + RegistryName.StoredLength(key.Name));
    }

    /// <param name="key">The key.</param>
    /// <param name="parent">Offset of its parent; none for the root.</param>
    /// <param name="security">Offset of its security descriptor.</param>
    /// <param name="subkeys">Offsets of its subkeys.</param>
    public CellOffset Emit(HiveKey key, CellOffset parent, CellOffset security, ReadOnlySpan<CellOffset> subkeys)
    {
        var values = EmitValues(key);
        var className = EmitClassName(key);
        var list = SubkeyListEmitter.Emit(key.Subkeys, subkeys, emitter);

        var nameLength = RegistryName.StoredLength(key.Name);
        var cell = new CellWriter(emitter.Add(KeyField.Name + nameLength, out var offset));
        cell.U16(KeyField.Signature, Signatures.Key);
        cell.U16(KeyField.Flags, (ushort)Flags(key, isRoot: parent.IsNone, compressed: nameLength == key.Name.Length));
        cell.I64(KeyField.LastWritten, key.LastWritten);
        cell.Byte(KeyField.AccessBits, key.AccessBits);
        cell.Byte(KeyField.Layer, (byte)((byte)key.Layer | (key.InheritsClass ? KeyField.InheritClassBit : 0)));
        cell.Offset(KeyField.Parent, parent);
        cell.U32(KeyField.SubkeyCount, (uint)key.Subkeys.Length);
        cell.Offset(KeyField.SubkeyList, list);
        cell.Offset(KeyField.VolatileSubkeyList, CellOffset.None);
        cell.U32(KeyField.ValueCount, key.Flags.HasFlag(HiveKeyFlags.PredefinedHandle) ? key.PredefinedHandle : (uint)key.Values.Length);
        cell.Offset(KeyField.ValueList, values);
        cell.Offset(KeyField.Security, security);
        cell.Offset(KeyField.ClassName, className);
        WriteLargest(key, cell);
        cell.Byte(KeyField.ControlFlags, key.ControlFlags);
        cell.Byte(KeyField.DebugFlags, key.DebugFlags);
        cell.U16(KeyField.NameLength, nameLength);
        cell.U16(KeyField.ClassNameLength, key.ClassName.Length);
        RegistryName.Store(key.Name, cell.Rest(KeyField.Name));
        return offset;
    }

    private static HiveKeyFlags Flags(HiveKey key, bool isRoot, bool compressed) =>
        (key.Flags & ~(HiveKeyFlags.Root | HiveKeyFlags.CompressedName))
        | (isRoot ? HiveKeyFlags.Root : HiveKeyFlags.None)
        | (compressed ? HiveKeyFlags.CompressedName : HiveKeyFlags.None);

    /// <summary>The largest sizes that RegQueryInfoKey reports. Names count as UTF-16 bytes, also if stored compressed.</summary>
    private static void WriteLargest(HiveKey key, CellWriter cell)
    {
        var (subkeyName, subkeyClass, valueName, valueData) = (0, 0, 0, 0);
        foreach (var subkey in key.Subkeys)
        {
            subkeyName = Math.Max(subkeyName, subkey.Name.Length * sizeof(char));
            subkeyClass = Math.Max(subkeyClass, subkey.ClassName.Length);
        }

        foreach (ref readonly var value in key.Values.AsSpan())
        {
            valueName = Math.Max(valueName, value.Name.Length * sizeof(char));
            valueData = Math.Max(valueData, value.Data.Length);
        }

        cell.U16(KeyField.LargestSubkeyName, subkeyName);
        cell.U32(KeyField.LargestSubkeyClass, (uint)subkeyClass);
        cell.U32(KeyField.LargestValueName, (uint)valueName);
        cell.U32(KeyField.LargestValueData, (uint)valueData);
    }

    private CellOffset EmitValues(HiveKey key)
    {
        if (key.Values.IsEmpty)
        {
            return CellOffset.None;
        }

        _values.Clear();
        foreach (ref readonly var value in key.Values.AsSpan())
        {
            _values.Add(ValueEmitter.Emit(value, emitter));
        }

        var list = new CellWriter(emitter.Add(_values.Count * OffsetList.Element, out var offset));
        for (var i = 0; i < _values.Count; i++)
        {
            list.Offset(i * OffsetList.Element, _values[i]);
        }

        return offset;
    }

    private CellOffset EmitClassName(HiveKey key)
    {
        if (key.ClassName.IsEmpty)
        {
            return CellOffset.None;
        }

        key.ClassName.Span.CopyTo(emitter.Add(key.ClassName.Length, out var offset));
        return offset;
    }
}
