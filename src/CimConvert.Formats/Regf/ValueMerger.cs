using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Merges the values of a key onto those below: a value replaces that of the same name, in its position; a tombstone removes it;
/// the others are appended in their order.
/// </summary>
internal static class ValueMerger
{
    public static ImmutableArray<HiveValue> Merge(ImmutableArray<HiveValue> below, ImmutableArray<HiveValue> above)
    {
        if (above.IsEmpty)
        {
            return below;
        }

        if (below.IsEmpty && !LayerMarks.On(above))
        {
            return above;
        }

        // A binary search rather than a hash table: the names are untrusted, and none make this slow.
        var byName = SortByName(above);
        var placed = new bool[above.Length];
        var merged = ImmutableArray.CreateBuilder<HiveValue>(below.Length + above.Length);
        foreach (ref readonly var value in below.AsSpan())
        {
            if (Find(above, byName, value.Name) is not { } replacement)
            {
                merged.Add(value);
            }
            else if (!placed[replacement])
            {
                Place(replacement);
            }
        }

        foreach (var index in FirstOfEachName(above, byName))
        {
            if (!placed[index])
            {
                Place(index);
            }
        }

        return merged.DrainToImmutable();

        void Place(int index)
        {
            placed[index] = true;
            if (!above[index].IsTombstone)
            {
                merged.Add(above[index]);
            }
        }
    }

    private static int[] SortByName(ImmutableArray<HiveValue> values)
    {
        var indices = Enumerable.Range(0, values.Length).ToArray();
        Array.Sort(indices, (left, right) =>
        {
            var order = RegistryName.Compare(values[left].Name, values[right].Name);
            return order != 0 ? order : left - right;
        });
        return indices;
    }

    /// <summary>The first value of that name, or null.</summary>
    private static int? Find(ImmutableArray<HiveValue> values, int[] byName, string name)
    {
        var (low, high) = (0, byName.Length);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = RegistryName.Compare(values[byName[middle]].Name, name) < 0 ? (middle + 1, high) : (low, middle);
        }

        return low < byName.Length && RegistryName.Compare(values[byName[low]].Name, name) == 0 ? byName[low] : null;
    }

    /// <summary>In stored order. Of values of the same name only the first counts: it is the one that Windows finds.</summary>
    private static List<int> FirstOfEachName(ImmutableArray<HiveValue> values, int[] byName)
    {
        var first = new List<int>(byName.Length);
        for (var i = 0; i < byName.Length; i++)
        {
            if (i == 0 || RegistryName.Compare(values[byName[i - 1]].Name, values[byName[i]].Name) != 0)
            {
                first.Add(byName[i]);
            }
        }

        first.Sort();
        return first;
    }
}
