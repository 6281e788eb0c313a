using CimConvert.Oci;

namespace CimConvert.Containerd;

/// <summary>Tags before digests, and digests of configs last, as people name images.</summary>
internal sealed class NameOrder : IComparer<string>
{
    public static readonly NameOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var byKind = KindOf(x!).CompareTo(KindOf(y!));
        return byKind != 0 ? byKind : string.CompareOrdinal(x, y);
    }

    private static int KindOf(string name) => Digest.TryParse(name, out _) ? 2 : name.Contains('@', StringComparison.Ordinal) ? 1 : 0;
}
