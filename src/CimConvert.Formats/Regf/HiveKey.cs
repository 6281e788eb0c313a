using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Regf;

/// <summary>
/// A key with its values, in the order they are stored, and its subkeys, sorted by upcased name.
/// Read-only once made: merged hives share untouched subtrees with the hives they come from.
/// </summary>
internal sealed class HiveKey
{
    private ImmutableArray<HiveKey> _subkeys = [];

    public HiveKey(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, RegfLimits.KeyName, nameof(name));
        Name = name;
    }

    public string Name { get; }

    public HiveKeyFlags Flags { get; init; }

    /// <summary>FILETIME.</summary>
    public long LastWritten { get; init; }

    /// <summary>When the key was opened, in terms of the boot (FORMAT.md, nk).</summary>
    public byte AccessBits { get; init; }

    public LayerSemantics Layer { get; init; }

    /// <summary>In a differencing hive: the class is that of the key below.</summary>
    public bool InheritsClass { get; init; }

    /// <summary>Virtualisation flags and user flags, four bits each, as stored.</summary>
    public byte ControlFlags { get; init; }

    public byte DebugFlags { get; init; }

    /// <summary>UTF-16LE as stored; empty for none.</summary>
    public ReadOnlyMemory<byte> ClassName { get; init; }

    /// <summary>Null where the hive names none, which Windows does not write.</summary>
    public HiveSecurity? Security { get; init; }

    /// <summary>What the value count holds in a key with <see cref="HiveKeyFlags.PredefinedHandle"/>.</summary>
    public uint PredefinedHandle { get; init; }

    public ImmutableArray<HiveValue> Values { get; init; } = [];

    /// <exception cref="ArgumentException">Two names differ at most in case.</exception>
    public ImmutableArray<HiveKey> Subkeys
    {
        get => _subkeys;
        init
        {
            var sorted = value.ToArray();
            _subkeys = Sort(sorted) is { } twice
                ? throw new ArgumentException($"two subkeys are named '{twice}'", nameof(value))
                : ImmutableCollectionsMarshal.AsImmutableArray(sorted);
        }
    }

    public HiveKey? FindSubkey(ReadOnlySpan<char> name)
    {
        var (low, high) = (0, _subkeys.Length - 1);
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            var order = RegistryName.Compare(_subkeys[middle].Name, name);
            if (order == 0)
            {
                return _subkeys[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    /// <summary>The first value of that name, in any case; the empty name is the default value's.</summary>
    public HiveValue? FindValue(ReadOnlySpan<char> name)
    {
        foreach (var value in Values)
        {
            if (RegistryName.Compare(value.Name, name) == 0)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>The same key with other values and subkeys.</summary>
    internal HiveKey With(ImmutableArray<HiveValue> values, ImmutableArray<HiveKey> subkeys) => new(Name)
    {
        Flags = Flags,
        LastWritten = LastWritten,
        AccessBits = AccessBits,
        Layer = Layer,
        InheritsClass = InheritsClass,
        ControlFlags = ControlFlags,
        DebugFlags = DebugFlags,
        ClassName = ClassName,
        Security = Security,
        PredefinedHandle = PredefinedHandle,
        Values = values,
        Subkeys = subkeys,
    };

    /// <summary>Sorts as the format wants it; returns a name that occurs twice, or null.</summary>
    internal static string? Sort(HiveKey[] keys)
    {
        // Hives come sorted, but for names on which tools other than Windows disagree: most calls end without a sort.
        for (var i = 1; i < keys.Length; i++)
        {
            if (RegistryName.Compare(keys[i - 1].Name, keys[i].Name) >= 0)
            {
                Array.Sort(keys, static (left, right) => RegistryName.Compare(left.Name, right.Name));
                return FirstTwice(keys);
            }
        }

        return null;
    }

    /// <summary>For the reader and the merge, which know a key before its subkeys; <paramref name="sorted"/> is owned by the key.</summary>
    internal void Attach(HiveKey[] sorted) => _subkeys = ImmutableCollectionsMarshal.AsImmutableArray(sorted);

    private static string? FirstTwice(HiveKey[] sorted)
    {
        for (var i = 1; i < sorted.Length; i++)
        {
            if (RegistryName.Compare(sorted[i - 1].Name, sorted[i].Name) == 0)
            {
                return sorted[i].Name;
            }
        }

        return null;
    }
}
