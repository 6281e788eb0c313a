using System.IO.Enumeration;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>Which images a collection leaves in a store; without any of these, all.</summary>
internal sealed record CollectionOptions
{
    /// <summary>References as they stand in the index, or patterns with <c>*</c>: neither age nor size removes these.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Images not used for longer go.</summary>
    public TimeSpan? OlderThan { get; init; }

    /// <summary>Bytes. The images not used for longest go until layers and blobs fit.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Only says what would go; changes nothing, and may be told otherwise by a conversion that begins meanwhile.</summary>
    public bool DryRun { get; init; }

    internal bool Keeps(string reference) =>
        Keep.Any(pattern => pattern == reference || FileSystemName.MatchesSimpleExpression(Escaped(pattern), reference, ignoreCase: false));

    /// <summary>References hold no '?' and no '\', to which the matcher gives a meaning.</summary>
    private static string Escaped(string pattern) => pattern.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("?", @"\?", StringComparison.Ordinal);
}

/// <summary>What a collection removed, or would.</summary>
/// <param name="Images">References taken from the index.</param>
/// <param name="Layers">Layers removed, with what was merged into them.</param>
/// <param name="Merged">Layers that stay, and whose merged CIM no image needs any more.</param>
/// <param name="Blobs">Blobs removed.</param>
/// <param name="Leftovers">Unfinished work of killed runs, and downloads to go on from: names under <c>ingest/</c>.</param>
/// <param name="Freed">Bytes.</param>
/// <param name="Remaining">Bytes of the layers and blobs that stay.</param>
/// <param name="Problems">What could not be removed, and why: a line each.</param>
internal sealed record CollectionResult(
    IReadOnlyList<string> Images,
    IReadOnlyList<ChainId> Layers,
    IReadOnlyList<ChainId> Merged,
    IReadOnlyList<Digest> Blobs,
    IReadOnlyList<string> Leftovers,
    long Freed,
    long Remaining,
    IReadOnlyList<string> Problems);
