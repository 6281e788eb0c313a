using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>An image in the store's index.</summary>
/// <param name="Reference">The name it was pulled by.</param>
/// <param name="Manifest">The descriptor of its manifest, with its platform if that is known.</param>
internal sealed record IndexedImage(string Reference, Descriptor Manifest)
{
    /// <summary>Whether the index has other platforms under the same reference.</summary>
    public bool IsOneOfSeveral { get; init; }

    /// <summary>The image in messages: its reference, and where that does not suffice its platform.</summary>
    public string Name => IsOneOfSeveral ? $"{Reference} ({Manifest.Platform?.ToString() ?? "no platform"})" : Reference;
}
