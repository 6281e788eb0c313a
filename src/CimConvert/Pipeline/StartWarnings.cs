using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>What keeps pods from starting although the image is in containerd: nothing that a conversion can mend.</summary>
/// <param name="cri">How the daemon's CRI plugin is configured; null if it has none, or it could not be read.</param>
/// <param name="snapshotter">Where the layers are.</param>
/// <param name="host">The version of this Windows; null on another system.</param>
internal sealed class StartWarnings(CriConfiguration? cri, string snapshotter, string? host)
{
    /// <summary>Why CRI's configuration could not be read; null if it was.</summary>
    public string? WhyUnknown { get; init; }

    /// <summary>What holds for every image.</summary>
    public IEnumerable<string> OfNode()
    {
        if (WhyUnknown is { } why)
        {
            yield return $"whether pods will find the images could not be checked: {why}";
            yield break;
        }

        if (cri is null)
        {
            yield return "this containerd has no CRI plugin, which kubelet needs: 'cimconvert doctor' tells more";
        }

        if (cri?.Snapshotter is { } other && other != snapshotter)
        {
            yield return $"pods use the snapshotter {Printable.Of(other)}, and will not find what is in {snapshotter}: 'cimconvert doctor' tells the lines for config.toml";
        }
    }

    public IEnumerable<string> Of(ResolvedImage image)
    {
        // CRI would mount the container's root file system on the host to copy the volumes' content, which CIMs do not allow.
        if (ImageVolumes.Read(image.ConfigBytes) is [var volume, ..] volumes && cri?.IgnoresImageVolumes != true)
        {
            yield return $"it defines the volume {Printable.Of(volume)}{(volumes.Count > 1 ? $" and {volumes.Count - 1} more" : string.Empty)}:"
                + " its containers do not start unless CRI has 'ignore_image_defined_volumes = true'";
        }

        if (host is not null && image.Config.Platform.Os == Platform.Windows && PlatformSelector.Mismatch(image.Config.Platform, image.Config.Platform, host) is { } mismatch)
        {
            yield return $"it does not run on this Windows, {host}: {mismatch}";
        }
    }
}
