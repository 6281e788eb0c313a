using System.Runtime.InteropServices;
using CimConvert.Cims.Native;
using CimConvert.Interop;

namespace CimConvert.Cims.Mounting;

/// <summary>
/// Mounts CIMs as volumes, and dismounts them. Windows only, by the system's cimfs.dll; <see cref="CimSupport"/> says what can be mounted
/// on this machine.
/// </summary>
public static class CimMount
{
    /// <summary>
    /// Mounts a CIM. If a root digest lies beside a block file (<c>integrity_checksum</c>), every read is verified against it (hcsshim:
    /// <c>Mount</c>, <c>MountMergedBlockCIMs</c>, <c>MountVerifiedBlockCIM</c>, <c>MountMergedVerifiedBlockCIMs</c>).
    /// </summary>
    /// <param name="location">A block file, <c>FILE::NAME</c>, or a standard <c>.cim</c> file.</param>
    /// <param name="sources">The sources of a merged CIM, topmost first; empty for other CIMs.</param>
    /// <returns>The volume's path, <c>\\?\Volume{GUID}\</c>. The same location always becomes the same volume.</returns>
    /// <exception cref="ConversionException">This machine cannot mount such CIMs, or Windows refused it; the message says why.</exception>
    public static string Mount(string location, params IReadOnlyList<BlockCim> sources) => Mount(MountableCim.At(location, sources));

    /// <summary>Dismounts the volume of a CIM (hcsshim: <c>Unmount</c>).</summary>
    /// <param name="volume">The volume's path or GUID.</param>
    /// <exception cref="ConversionException">
    /// The text is not a volume's path, this machine cannot mount CIMs, or Windows refused it.
    /// </exception>
    public static void Dismount(string volume) =>
        Dismount(MountableCim.TryParseVolume(volume) ?? throw new ConversionException($"'{volume}' is not the path of a volume, \\\\?\\Volume{{GUID}}\\"));

    /// <exception cref="ConversionException">This machine cannot mount such CIMs; the message says why.</exception>
    internal static void Require(bool isBlock, bool isVerified)
    {
        if (!CimSupport.CanMount(isBlock, isVerified, out var reason))
        {
            throw new ConversionException($"CIMs cannot be mounted here: {reason}");
        }

        NativeLibraries.RequireExports(
            CimFsMounting.Library,
            isBlock ? [nameof(CimFsMounting.CimMountImage), nameof(CimFsMounting.CimMergeMountImage), nameof(CimFsMounting.CimDismountImage)] : [nameof(CimFsMounting.CimMountImage), nameof(CimFsMounting.CimDismountImage)]);
        if (isVerified)
        {
            NativeLibraries.RequireExports(CimFsMounting.Library, nameof(CimFsMounting.CimMountVerifiedImage), nameof(CimFsMounting.CimMergeMountVerifiedImage));
        }
    }

    /// <returns>The volume's path.</returns>
    internal static string Mount(MountableCim cim)
    {
        Require(cim.IsBlock, cim.Root is not null);
        if (cim.IsBlock)
        {
            var backend = new NativeBackend();
            foreach (var source in cim.Sources.Prepend(new BlockCim(cim.Directory, cim.Name)))
            {
                backend.CheckSource(source);
            }
        }

        var (result, call) = cim.Sources.Count > 0 ? MountMerged(cim) : MountPlain(cim);
        NativeErrors.ThrowIfFailed(result, call, cim.ToString());
        return MountableCim.VolumePath(cim.VolumeId);
    }

    internal static void Dismount(Guid volume)
    {
        Require(isBlock: false, isVerified: false);
        NativeErrors.ThrowIfFailed(CimFsMounting.CimDismountImage(volume), nameof(CimFsMounting.CimDismountImage), MountableCim.VolumePath(volume));
    }

    /// <summary>The calls for verified CIMs take no flag for it.</summary>
    private static (int Result, string Call) MountPlain(MountableCim cim) => cim.Root is { } root
        ? (CimFsMounting.CimMountVerifiedImage(cim.Directory, cim.Name, Flags(cim), cim.VolumeId, (ushort)root.Length, root), nameof(CimFsMounting.CimMountVerifiedImage))
        : (CimFsMounting.CimMountImage(cim.Directory, cim.Name, Flags(cim), cim.VolumeId), nameof(CimFsMounting.CimMountImage));

    private static (int Result, string Call) MountMerged(MountableCim cim)
    {
        var texts = new List<nint>();
        try
        {
            var sources = cim.Sources.Select(source => (Directory: NativePath.Of(source.BlockFile), Name: source.NameOrDefault));
            CimFsImagePath[] paths =
            [
                .. sources.Prepend((cim.Directory, cim.Name)).Select(path => new CimFsImagePath { ImageDir = Pin(path.Directory), ImageName = Pin(path.Name) }),
            ];
            return cim.Root is { } root
                ? (CimFsMounting.CimMergeMountVerifiedImage((uint)paths.Length, paths, Flags(cim), cim.VolumeId, (ushort)root.Length, root), nameof(CimFsMounting.CimMergeMountVerifiedImage))
                : (CimFsMounting.CimMergeMountImage((uint)paths.Length, paths, Flags(cim), cim.VolumeId), nameof(CimFsMounting.CimMergeMountImage));
        }
        finally
        {
            texts.ForEach(Marshal.FreeHGlobal);
        }

        nint Pin(string text)
        {
            texts.Add(Marshal.StringToHGlobalUni(text));
            return texts[^1];
        }
    }

    private static CimMountFlags Flags(MountableCim cim) =>
        !cim.IsBlock ? CimMountFlags.None
        : BlockCim.IsDevice(cim.Directory) ? CimMountFlags.BlockDevice
        : CimMountFlags.SingleFile;
}
