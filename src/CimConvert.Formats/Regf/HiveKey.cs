using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Regf;

/// <summary>
/// A key with its values, in stored order, and its subkeys, sorted by upcased name.
/// Immutable, so that merged hives can share unchanged subtrees with their sources.
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

    /// <summary>Whether the key was accessed before (1) or after (2) NtInitializeRegistry during boot (github.com/msuhanov/regf).</summary>
    public byte AccessBits { get; init; }

    public LayerSemantics Layer { get; init; }

    /// <summary>In a differencing hive: the class name is that of the key of the same path in the hive below.</summary>
    public bool InheritsClass { get; init; }

    /// <summary>Virtualisation flags and user flags, four bits each, as stored.</summary>
    public byte ControlFlags { get; init; }

    public byte DebugFlags { get; init; }

    /// <summary>UTF-16LE as stored; empty for none.</summary>
    public ReadOnlyMemory<byte> ClassName { get; init; }

    /// <summary>Null if the key has none; Windows always writes one.</summary>
    public HiveSecurity? Security { get; init; }

    /// <summary>The handle that a key with <see cref="HiveKeyFlags.PredefinedHandle"/> stores in its value count field.</summary>
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

    /// <summary>The first value of that name, ignoring case. The default value's name is empty.</summary>
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

    /// <summary>A copy of the key with other values and subkeys.</summary>
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

    /// <summary>Sorts keys by upcased name. Returns a name that occurs twice, or null.</summary>
    internal static string? Sort(HiveKey[] keys)
    {
        // Hives are sorted already, except for names that tools other than Windows order differently, so most calls need no sort.
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

    /// <summary>
    /// Sets the subkeys, for the reader and the merge, which create a key before its subkeys. Takes ownership of <paramref name="sorted"/>.
    /// </summary>
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
