using CimConvert.Oci;

namespace CimConvert.Registry.Push;

/// <summary>A blob to push.</summary>
/// <param name="Digest">The digest of the file. It is not checked unless the registry reports another one.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Path">The file.</param>
/// <param name="MountFrom">A repository of the same registry that may have the blob.</param>
internal sealed record PushedBlob(Digest Digest, long Size, string Path, string? MountFrom = null);

/// <summary>What a push did.</summary>
internal enum PushOutcome
{
    /// <summary>The repository already had it.</summary>
    Skipped,

    /// <summary>The registry mounted it from another repository.</summary>
    Mounted,

    Uploaded,
}
