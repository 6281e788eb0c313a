namespace CimConvert.Registry.Hosts;

/// <summary>What a host may be used for (https://github.com/containerd/containerd/blob/main/docs/hosts.md, "capabilities field").</summary>
[Flags]
internal enum HostCapabilities
{
    None = 0,

    /// <summary>Get manifests and blobs by digest; the digest proves the content.</summary>
    Pull = 1,

    /// <summary>Resolve tags to digests, which requires a trusted host.</summary>
    Resolve = 2,

    Push = 4,

    Referrers = 8,

    All = Pull | Resolve | Push | Referrers,
}
