using System.IO.Enumeration;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>Which images a garbage collection keeps; without any of these options, all.</summary>
internal sealed record CollectionOptions
{
    /// <summary>References as the index has them, or patterns with <c>*</c>. These images are kept whatever their age or size.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Images whose last use is longer ago are removed.</summary>
    public TimeSpan? OlderThan { get; init; }

    /// <summary>In bytes. The least recently used images are removed until layers and blobs fit.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Reports what would be removed, and changes nothing. A conversion that starts in the meantime may change the answer.</summary>
    public bool DryRun { get; init; }

    internal bool Keeps(string reference) =>
        Keep.Any(pattern => pattern == reference || FileSystemName.MatchesSimpleExpression(Escape(pattern), reference, ignoreCase: false));

    /// <summary>'?' and '\' mean something to the matcher; in a reference they do not occur.</summary>
    private static string Escape(string pattern) => pattern.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("?", @"\?", StringComparison.Ordinal);
}

/// <summary>What a garbage collection removed, or would remove.</summary>
/// <param name="Images">Images removed from the index, sorted.</param>
/// <param name="Layers">Layers removed, with their merged CIMs.</param>
/// <param name="Merged">Layers that stay, but whose merged CIM was removed because no image needs it.</param>
/// <param name="Blobs">Blobs removed.</param>
/// <param name="Leftovers">Unfinished work of killed runs, and partial downloads: names under <c>ingest/</c>.</param>
/// <param name="Freed">Bytes freed on the disk.</param>
/// <param name="Remaining">Bytes of the layers and blobs that stay.</param>
/// <param name="Problems">A line for each thing that could not be removed, and why.</param>
internal sealed record CollectionResult(
    IReadOnlyList<IndexedImage> Images,
    IReadOnlyList<ChainId> Layers,
    IReadOnlyList<ChainId> Merged,
    IReadOnlyList<Digest> Blobs,
    IReadOnlyList<string> Leftovers,
    long Freed,
    long Remaining,
    IReadOnlyList<string> Problems);
