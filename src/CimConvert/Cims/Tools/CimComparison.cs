using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Tools;

/// <summary>How an entry differs between two CIMs.</summary>
internal enum CimChange
{
    /// <summary>Only the second has it.</summary>
    Added,

    /// <summary>Only the first has it.</summary>
    Removed,
    Changed,
}

/// <summary>One difference between two CIMs.</summary>
/// <param name="Path">As the CIM that has it spells it; the second, where both do.</param>
/// <param name="Change">What happened to it, from the first to the second.</param>
/// <param name="Fields">Of a changed entry, what differs: the fields of a listing, and <c>content</c> and <c>links</c>.</param>
internal sealed record CimDifference(CimPath Path, CimChange Change, IReadOnlyList<string> Fields);

/// <summary>Compares what two CIMs hold, whatever way each stores it.</summary>
internal sealed class CimComparison
{
    private const int BufferSize = 256 * 1024;

    private readonly CimReader _first;
    private readonly CimReader _second;
    private readonly byte[] _some = new byte[BufferSize];
    private readonly byte[] _others = new byte[BufferSize];
    private readonly Dictionary<uint, string> _firstNames = [];
    private readonly Dictionary<uint, string> _secondNames = [];

    private CimComparison(CimReader first, CimReader second) => (_first, _second) = (first, second);

    /// <summary>The differences, sorted by path; names are the same in any case of their letters.</summary>
    /// <exception cref="InvalidDataException">A CIM does not hold together.</exception>
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

    /// <summary>The order of a walk: name by name, a directory before what is in it.</summary>
    private static int ComparePaths(CimPath left, CimPath right)
    {
        var (some, others) = (left.Value.Split(CimPath.Separator), right.Value.Split(CimPath.Separator));
        for (var i = 0; i < some.Length && i < others.Length; i++)
        {
            if (NameComparer.Instance.Compare(some[i], others[i]) is not 0 and var order)
            {
                return order;
            }
        }

        return some.Length - others.Length;
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

    /// <summary>Hard links are told by the first name that both CIMs have of a file: ids are the writer's choice.</summary>
    private static string FirstName(Dictionary<uint, string> names, CimEntry entry, CimPath path) =>
        names.TryAdd(entry.FileId, path.Value) ? path.Value : names[entry.FileId];

    private bool StreamsDiffer(CimEntry left, CimEntry right)
    {
        var (some, others) = (_first.AlternateStreams(left), _second.AlternateStreams(right));
        return some.Count != others.Count || some.Zip(others).Any(pair => pair.First.Name != pair.Second.Name || Differ(pair.First.Stream, pair.Second.Stream));
    }

    private bool Differ(CimStream left, CimStream right)
    {
        if (left.Length != right.Length || (left.IsSparse && right.IsSparse))
        {
            return left.Length != right.Length;
        }

        using var some = _first.OpenStream(left);
        using var others = _second.OpenStream(right);
        for (int read; (read = some.ReadAtLeast(_some, BufferSize, throwOnEndOfStream: false)) > 0;)
        {
            others.ReadExactly(_others, 0, read);
            if (!_some.AsSpan(0, read).SequenceEqual(_others.AsSpan(0, read)))
            {
                return true;
            }
        }

        return false;
    }
}
