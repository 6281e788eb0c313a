using System.Globalization;

namespace CimConvert.TestKit.Oracles;

/// <summary>Says in words how a listing differs from what the oracle expects.</summary>
public static class OracleDiff
{
    /// <summary>Every difference, one a line; empty when there is none. <paramref name="hashes"/>: the listing has sha256.</summary>
    public static IReadOnlyList<string> Compare(
        IReadOnlyList<OracleEntry> expected,
        IReadOnlyList<ListedEntry> actual,
        bool hashes = true)
    {
        List<string> differences = [];
        Dictionary<string, ListedEntry> listed = new(StringComparer.Ordinal);
        foreach (ListedEntry entry in actual)
        {
            if (!listed.TryAdd(entry.Path, entry))
            {
                differences.Add($"{entry.Path}: listed twice");
            }
        }

        HashSet<string> known = new(StringComparer.Ordinal);
        foreach (OracleEntry entry in expected)
        {
            known.Add(entry.Path);
            if (listed.TryGetValue(entry.Path, out ListedEntry? found))
            {
                CompareEntry(entry, found, hashes, differences);
            }
            else
            {
                differences.Add($"{entry.Path}: missing ({entry.Type})");
            }
        }

        differences.AddRange(actual.Where(entry => !known.Contains(entry.Path)).Select(entry => $"{entry.Path}: unexpected ({entry.Type})"));
        if (differences.Count == 0)
        {
            CompareOrder(expected, actual, differences);
        }

        CompareLinks(expected, listed, differences);
        return differences;
    }

    private static void CompareEntry(OracleEntry expected, ListedEntry actual, bool hashes, List<string> differences)
    {
        void Check(string field, object? want, object? have)
        {
            if (!Equals(want, have))
            {
                differences.Add(string.Create(CultureInfo.InvariantCulture, $"{expected.Path}: {field} is {have}, expected {want}"));
            }
        }

        Check("type", expected.Type, actual.Type);
        Check("attributes", Hex(expected.Attributes), Hex(actual.Attributes));
        Check("size", expected.Size, actual.Size);
        Check("creationTime", expected.CreationTime, actual.CreationTime);
        Check("lastWriteTime", expected.LastWriteTime, actual.LastWriteTime);
        Check("changeTime", expected.ChangeTime, actual.ChangeTime);
        Check("lastAccessTime", expected.LastAccessTime, actual.LastAccessTime);
        Check("sd", expected.Sd, Lower(actual.Sd));
        Check("ea", expected.Ea, Lower(actual.Ea));
        Check("reparse", expected.Reparse, Lower(actual.Reparse));
        Check("streams", Names(expected.Streams.Select(s => (s.Name, s.Size))), Names((actual.Streams ?? []).Select(s => (s.Name, s.Size))));
        if (hashes && expected.Sha256 is not null)
        {
            Check("sha256", expected.Sha256, Lower(actual.Sha256));
        }

        // The contract does not promise hashes of alternate streams; where a listing has them they must be right.
        foreach (ListedStream stream in actual.Streams ?? [])
        {
            OracleStream? known = expected.Streams.FirstOrDefault(candidate => candidate.Name == stream.Name);
            if (stream.Sha256 is not null && known is not null)
            {
                Check($"sha256 of stream {stream.Name}", known.Sha256, Lower(stream.Sha256));
            }
        }
    }

    private static string Hex(uint value) => value.ToString("x", CultureInfo.InvariantCulture);

    private static string Lower(string? hex) => Convert.ToHexStringLower(Convert.FromHexString(hex ?? ""));

    private static string Names(IEnumerable<(string Name, long Size)> streams) => string.Join(
        ", ",
        streams.Select(stream => string.Create(CultureInfo.InvariantCulture, $"{stream.Name}({stream.Size})")).Order(StringComparer.Ordinal));

    private static void CompareOrder(IReadOnlyList<OracleEntry> expected, IReadOnlyList<ListedEntry> actual, List<string> differences)
    {
        for (int i = 0; i < expected.Count; i++)
        {
            if (expected[i].Path != actual[i].Path)
            {
                differences.Add($"{actual[i].Path}: listed where {expected[i].Path} comes in order");
                return;
            }
        }
    }

    // File ids are the writer's choice; which names share one is not.
    private static void CompareLinks(
        IReadOnlyList<OracleEntry> expected,
        Dictionary<string, ListedEntry> listed,
        List<string> differences)
    {
        List<OracleEntry> both = [.. expected.Where(entry => listed.ContainsKey(entry.Path))];
        Dictionary<int, string> firstOfGroup = [];
        Dictionary<long, string> firstOfFile = [];
        foreach (OracleEntry entry in both)
        {
            string want = FirstOf(firstOfGroup, entry.LinkGroup, entry.Path);
            string have = FirstOf(firstOfFile, listed[entry.Path].FileId, entry.Path);
            if (want != have)
            {
                differences.Add($"{entry.Path}: {Same(entry.Path, have)}, expected {Same(entry.Path, want)}");
            }
        }
    }

    private static string FirstOf<TKey>(Dictionary<TKey, string> first, TKey key, string path)
        where TKey : notnull => first.TryAdd(key, path) ? path : first[key];

    private static string Same(string path, string first) => path == first ? "is a file of its own" : $"is the same file as {first}";
}
