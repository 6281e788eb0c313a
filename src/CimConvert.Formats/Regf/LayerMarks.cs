using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>Tells whether a key carries anything that only a differencing hive may.</summary>
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

    /// <summary>Whether the key or any below it does.</summary>
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
