using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Cims.Tools;

/// <summary>How an entry differs between two CIMs.</summary>
internal enum CimChange
{
    /// <summary>Only the second CIM has the entry.</summary>
    Added,

    /// <summary>Only the first CIM has the entry.</summary>
    Removed,
    Changed,
}

/// <summary>One difference between two CIMs.</summary>
/// <param name="Path">The path as the second CIM spells it, or the first, if only that has it.</param>
/// <param name="Change">How the entry changed from the first CIM to the second.</param>
/// <param name="Fields">The fields of a changed entry that differ: those of a listing, and <c>content</c> and <c>links</c>.</param>
internal sealed record CimDifference(CimPath Path, CimChange Change, IReadOnlyList<string> Fields);

/// <summary>Compares the content of two CIMs, however each stores it.</summary>
internal sealed class CimComparison
{
    private readonly CimReader _first;
    private readonly CimReader _second;
    private readonly Dictionary<uint, string> _firstNames = [];
    private readonly Dictionary<uint, string> _secondNames = [];

    private CimComparison(CimReader first, CimReader second) => (_first, _second) = (first, second);

    /// <summary>The differences, sorted by path. Names are compared without regard to case.</summary>
    /// <exception cref="InvalidDataException">A CIM is inconsistent.</exception>
    public static IEnumerable<CimDifference> Compare(CimReader first, CimReader second) => new CimComparison(first, second).Differences();

    private IEnumerable<CimDifference> Differences()
    {
        using var left = CimWalk.Below(_first, CimPath.Root, _first.Root).GetEnumerator();
        using var right = CimWalk.Below(_second, CimPath.Root, _second.Root).GetEnumerator();
        var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        while (hasLeft || hasRight)
        {
            var order = !hasLeft ? 1 : !hasRight ? -1 : ComparePaths(left.Current.Path, right.Current.Path);
            if (order < 0)
            {
                yield return new CimDifference(left.Current.Path, CimChange.Removed, []);
                hasLeft = left.MoveNext();
            }
            else if (order > 0)
            {
                yield return new CimDifference(right.Current.Path, CimChange.Added, []);
                hasRight = right.MoveNext();
            }
            else
            {
                if (Fields(left.Current.Path, left.Current.Entry, right.Current.Path, right.Current.Entry).ToArray() is { Length: > 0 } fields)
                {
                    yield return new CimDifference(right.Current.Path, CimChange.Changed, fields);
                }

                (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
            }
        }
    }

    /// <summary>The order in which <see cref="CimWalk"/> visits entries: name by name, a directory before its entries.</summary>
    private static int ComparePaths(CimPath left, CimPath right)
    {
        var (leftNames, rightNames) = (left.Value.Split(CimPath.Separator), right.Value.Split(CimPath.Separator));
        for (var i = 0; i < leftNames.Length && i < rightNames.Length; i++)
        {
            if (NameComparer.Instance.Compare(leftNames[i], rightNames[i]) is not 0 and var order)
            {
                return order;
            }
        }

        return leftNames.Length - rightNames.Length;
    }

    private IEnumerable<string> Fields(CimPath leftPath, CimEntry left, CimPath rightPath, CimEntry right)
    {
        var types = (Left: CimListing.TypeOf(left), Right: CimListing.TypeOf(right));
        (string Name, bool Differs)[] fields =
        [
            ("path", leftPath.Name != rightPath.Name),
            ("type", types.Left != types.Right),
            ("attributes", left.Attributes != right.Attributes),
            ("size", left.Size != right.Size),
            ("creationTime", left.CreationTime != right.CreationTime),
            ("lastWriteTime", left.LastWriteTime != right.LastWriteTime),
            ("changeTime", left.ChangeTime != right.ChangeTime),
            ("lastAccessTime", left.LastAccessTime != right.LastAccessTime),
            ("sd", !_first.SecurityDescriptor(left).AsSpan().SequenceEqual(_second.SecurityDescriptor(right))),
            ("ea", !_first.ExtendedAttributes(left).AsSpan().SequenceEqual(_second.ExtendedAttributes(right))),
            ("reparse", !_first.Reparse(left).AsSpan().SequenceEqual(_second.Reparse(right))),
            ("streams", StreamsDiffer(left, right)),
            ("content", types is (CimEntryType.File, CimEntryType.File) && Differ(left.Data, right.Data)),
            ("links", !left.IsDirectory && !right.IsDirectory && FirstName(_firstNames, left, rightPath) != FirstName(_secondNames, right, rightPath)),
        ];
        return fields.Where(field => field.Differs).Select(field => field.Name);
    }

    /// <summary>
    /// Identifies a file by the first of its names that both CIMs have: file IDs are up to the writer and cannot be compared.
    /// </summary>
    private static string FirstName(Dictionary<uint, string> names, CimEntry entry, CimPath path) =>
        names.TryAdd(entry.FileId, path.Value) ? path.Value : names[entry.FileId];

    private bool StreamsDiffer(CimEntry left, CimEntry right)
    {
        var (leftStreams, rightStreams) = (_first.AlternateStreams(left), _second.AlternateStreams(right));
        return leftStreams.Count != rightStreams.Count || leftStreams.Zip(rightStreams).Any(pair => pair.First.Name != pair.Second.Name || Differ(pair.First.Stream, pair.Second.Stream));
    }

    private bool Differ(CimStream left, CimStream right)
    {
        if (left.Length != right.Length || (left.IsSparse && right.IsSparse))
        {
            return left.Length != right.Length;
        }

        using var first = _first.OpenStream(left);
        using var second = _second.OpenStream(right);
        return !FileComparison.AreEqual(first, second);
    }
}
