using CimConvert.Cims;
using CimConvert.Layers;
using Microsoft.Extensions.Logging;

namespace CimConvert;

/// <summary>What all conversions of an <see cref="ImageConverter"/> share.</summary>
public sealed record ImageConverterOptions
{
    /// <summary>Talk HTTP to every registry. Without it, only to registries on this machine, and where a hosts.toml says so.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Folders with a <c>hosts.toml</c> for each registry, as containerd has them; the first that knows a registry decides.</summary>
    public IReadOnlyList<string> HostsFolders { get; init; } = [];

    /// <summary>A folder of certificates for all registries: authorities in *.crt, client certificates in *.cert and *.key; null for none.</summary>
    public string? CertificateFolder { get; init; }

    /// <summary>Take logins from Docker's configuration, credential helpers included; else registries are asked anonymously.</summary>
    public bool UsesDockerLogins { get; init; } = true;

    /// <summary>Gets the log; null for none.</summary>
    public ILoggerFactory? Loggers { get; init; }
}

/// <summary>How one image is converted.</summary>
public sealed record ImageConversionOptions
{
    /// <summary><c>os/architecture</c> of the image to take from an index.</summary>
    public string Platform { get; init; } = "windows/amd64";

    /// <summary>The version of Windows to take from an index, whole or its first parts (<c>10.0.20348</c>); null for that of this machine, and on other systems for the highest.</summary>
    public string? OsVersion { get; init; }

    /// <summary>Make forked CIMs, each of which holds all layers up to its own, instead of block CIMs and a merged one.</summary>
    public bool Forked { get; init; }

    /// <summary>Seal the block files, and keep the root digest beside each.</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Append a fixed VHD footer to the block files.</summary>
    public bool VhdFooter { get; init; }

    /// <summary>A reference, with a tag, to push the converted image to; null for none.</summary>
    public string? Push { get; init; }

    /// <summary>The converted manifest names the source's as its subject.</summary>
    public bool Subject { get; init; }

    /// <summary>What writes the CIMs.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>What each layer may take.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Layers that are downloaded and imported at once; null for one a core, at most 4. The output does not depend on it.</summary>
    public int? Concurrency { get; init; }
}

/// <summary>Which converted image is taken from a registry.</summary>
public sealed record ImagePullOptions
{
    /// <summary><c>os/architecture</c> of the image to take from an index.</summary>
    public string Platform { get; init; } = "windows/amd64";

    /// <summary>The version of Windows to take from an index, whole or its first parts (<c>10.0.20348</c>); null for the highest.</summary>
    public string? OsVersion { get; init; }

    /// <summary>Forked CIMs instead of block CIMs and a merged one.</summary>
    public bool Forked { get; init; }

    /// <summary>Sealed block files; their root digests are checked.</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Block files with a fixed VHD footer.</summary>
    public bool VhdFooter { get; init; }

    /// <summary>What must have written the CIMs.</summary>
    public CimBackend Backend { get; init; }

    /// <summary>
    /// Where else the converted image may be than among the source's referrers: a reference in which <c>{registry}</c>, <c>{repository}</c>
    /// and <c>{tag}</c> stand for the source's; null for nowhere.
    /// </summary>
    public string? From { get; init; }

    /// <summary>Whether a converted image that is named itself must name its source as its subject, and the source must be there.</summary>
    public bool VerifiesSource { get; init; }

    /// <summary>What each file may take.</summary>
    public InputLimits Limits { get; init; } = new();

    /// <summary>Files that are downloaded at once; null for one a core, at most 4. The result does not depend on it.</summary>
    public int? Concurrency { get; init; }
}
