using CimConvert.Oci;

namespace CimConvert.Registry.Pull;

/// <summary>A manifest or index as it came, already checked against its digest.</summary>
/// <param name="Descriptor">Its media type, size and digest; digest and size are of <paramref name="Bytes"/>.</param>
/// <param name="Bytes">The document, byte for byte.</param>
internal sealed record FetchedManifest(Descriptor Descriptor, ReadOnlyMemory<byte> Bytes);
