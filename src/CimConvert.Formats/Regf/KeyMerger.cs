using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>Merges a differencing hive's tree of keys onto the tree below it, without recursion.</summary>
internal sealed class KeyMerger
{
    private readonly Stack<(HiveKey Merged, HiveKey? Below, HiveKey Above)> _pending = new();
    private readonly List<HiveKey> _subkeys = [];

    private KeyMerger()
    {
    }

    /// <param name="below">A tree without layer marks; null to resolve the layer marks of <paramref name="above"/> alone.</param>
    /// <param name="above">The differencing hive's tree.</param>
    public static HiveKey Merge(HiveKey? below, HiveKey above)
    {
        var merger = new KeyMerger();
        var root = above.Layer == LayerSemantics.Tombstone ? EmptyRoot(below, above) : merger.Begin(below, above);
        while (merger._pending.TryPop(out var next))
        {
            next.Merged.Attach(merger.MergeSubkeys(next.Below, next.Above));
        }

        return root;
    }

    /// <summary>The result of a tombstone on the root: a hive must have a root key, so it is emptied.</summary>
    private static HiveKey EmptyRoot(HiveKey? below, HiveKey above) => new(below?.Name ?? above.Name)
    {
        Flags = above.Flags & ~HiveKeyFlags.PredefinedHandle,
        LastWritten = above.LastWritten,
        Security = above.Security ?? below?.Security,
    };

    /// <summary>Merges a key without its subkeys, which it pushes on the stack.</summary>
    private HiveKey Begin(HiveKey? below, HiveKey above)
    {
        var replaces = above.Layer != LayerSemantics.Merge;
        var merged = new HiveKey(below?.Name ?? above.Name)
        {
            Flags = above.Flags,
            LastWritten = above.LastWritten,
            AccessBits = above.AccessBits,
            ControlFlags = above.ControlFlags,
            DebugFlags = above.DebugFlags,
            ClassName = above.InheritsClass && below is not null && !replaces ? below.ClassName : above.ClassName,
            Security = above.Security ?? below?.Security,
            PredefinedHandle = above.PredefinedHandle,
            Values = MergeValues(replaces ? null : below, above),
        };

        var subtreeBelow = above.Layer == LayerSemantics.SupersedeTree ? null : below;
        if (above.Subkeys.Length + (subtreeBelow?.Subkeys.Length ?? 0) > 0)
        {
            _pending.Push((merged, subtreeBelow, above));
        }

        return merged;
    }

    /// <summary>A key with a predefined handle has no values, so it hides those below.</summary>
    private static ImmutableArray<HiveValue> MergeValues(HiveKey? below, HiveKey above) =>
        above.Flags.HasFlag(HiveKeyFlags.PredefinedHandle) ? [] : ValueMerger.Merge(below?.Values ?? [], above.Values);

    /// <summary>Both lists are sorted by upcased name, and so is the result.</summary>
    private HiveKey[] MergeSubkeys(HiveKey? below, HiveKey above)
    {
        _subkeys.Clear();
        var low = below is null ? [] : below.Subkeys.AsSpan();
        var high = above.Subkeys.AsSpan();
        while (!low.IsEmpty || !high.IsEmpty)
        {
            var order = high.IsEmpty ? -1 : low.IsEmpty ? 1 : RegistryName.Compare(low[0].Name, high[0].Name);
            if (order < 0)
            {
                _subkeys.Add(low[0]);
                low = low[1..];
                continue;
            }

            if (high[0].Layer != LayerSemantics.Tombstone)
            {
                _subkeys.Add(Begin(order == 0 ? low[0] : null, high[0]));
            }

            high = high[1..];
            low = order == 0 ? low[1..] : low;
        }

        return _subkeys.ToArray();
    }
}
