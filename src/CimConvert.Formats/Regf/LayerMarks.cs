using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>Finds layer marks: tombstones and layer semantics, which only differencing hives have.</summary>
internal static class LayerMarks
{
    public static bool On(HiveKey key) => key.Layer != LayerSemantics.Merge || key.InheritsClass || On(key.Values);

    public static bool On(ImmutableArray<HiveValue> values)
    {
        foreach (ref readonly var value in values.AsSpan())
        {
            if (value.IsTombstone)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the key or any key below it has a layer mark.</summary>
    public static bool InTree(HiveKey root)
    {
        var pending = new Stack<HiveKey>();
        pending.Push(root);
        while (pending.TryPop(out var key))
        {
            if (On(key))
            {
                return true;
            }

            foreach (var subkey in key.Subkeys)
            {
                pending.Push(subkey);
            }
        }

        return false;
    }
}
