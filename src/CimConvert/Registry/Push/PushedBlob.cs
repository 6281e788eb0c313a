using CimConvert.Oci;

namespace CimConvert.Registry.Push;

/// <summary>A blob to push.</summary>
/// <param name="Digest">Of the whole file. It is trusted; where the registry disagrees, the file is hashed to tell who is wrong.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Path">The file.</param>
/// <param name="MountFrom">A repository of the same registry that may have it.</param>
internal sealed record PushedBlob(Digest Digest, long Size, string Path, string? MountFrom = null);

/// <summary>How something came to be in a repository.</summary>
internal enum PushOutcome
{
    /// <summary>It was there.</summary>
    Skipped,

    /// <summary>The registry took it over from another repository.</summary>
    Mounted,

    Uploaded,
}
