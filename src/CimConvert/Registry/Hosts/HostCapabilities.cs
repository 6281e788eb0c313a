namespace CimConvert.Registry.Hosts;

/// <summary>What a host may be used for (containerd, docs/hosts.md, "capabilities field").</summary>
[Flags]
internal enum HostCapabilities
{
    None = 0,

    /// <summary>To get manifests and blobs by digest, which shows by itself whether they are the right ones.</summary>
    Pull = 1,

    /// <summary>To say which digest a tag stands for, which takes trust.</summary>
    Resolve = 2,

    Push = 4,

    Referrers = 8,

    All = Pull | Resolve | Push | Referrers,
}
