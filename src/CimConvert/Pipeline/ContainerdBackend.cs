using CimConvert.Cims;
using CimConvert.Containerd;

namespace CimConvert.Pipeline;

/// <summary>Selects what writes the CIMs that containerd is to mount.</summary>
/// <param name="Name">See <see cref="CimBackends"/>.</param>
/// <param name="AllowsUnmountedFormat">Whether layers may be written that Windows is not known to mount.</param>
internal sealed record ContainerdBackend(string Name, bool AllowsUnmountedFormat)
{
    /// <summary>Checks that this machine can make layers at all: of one snapshotter, if not of both.</summary>
    /// <exception cref="ConversionException">It can make none.</exception>
    public void Check()
    {
        try
        {
            Select(MountKind.CimFs, new BlockCimOptions());
        }
        catch (ConversionException)
        {
            Select(MountKind.BlockCim, new BlockCimOptions());
        }
    }

    /// <exception cref="ConversionException">The back end cannot be used, or Windows is not known to mount what it writes.</exception>
    public ICimBackend Select(MountKind kind, BlockCimOptions options)
    {
        var backend = kind == MountKind.CimFs ? CimBackends.SelectForking(Name) : CimBackends.Select(Name, options);
        if (backend.Name == CimBackends.Managed && (OperatingSystem.IsWindows() || !AllowsUnmountedFormat))
        {
            throw new ConversionException(
                "the managed back end is not used for containerd: Windows is not known to mount what it writes, and pods would not start"
                + (OperatingSystem.IsWindows() ? string.Empty : "; --allow-unmounted-format permits it for tests on systems other than Windows"));
        }

        return backend;
    }
}
