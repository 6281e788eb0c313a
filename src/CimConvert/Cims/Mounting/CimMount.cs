using System.Runtime.InteropServices;
using CimConvert.Cims.Native;
using CimConvert.Interop;

namespace CimConvert.Cims.Mounting;

/// <summary>Mounts CIMs as volumes, and dismounts them: Windows only, by the system's cimfs.dll. <see cref="CimSupport"/> says what can be mounted here.</summary>
public static class CimMount
{
    /// <summary>
    /// Mounts a CIM. A block file beside which a root digest is kept (<c>integrity_checksum</c>) is mounted so that every read is checked
    /// (hcsshim: <c>Mount</c>, <c>MountMergedBlockCIMs</c>, <c>MountVerifiedBlockCIM</c>, <c>MountMergedVerifiedBlockCIMs</c>).
    /// </summary>
    /// <param name="location">A block file, <c>FILE::NAME</c>, or a standard <c>.cim</c> file.</param>
    /// <param name="sources">What a merged CIM was merged from, topmost first; none for another.</param>
    /// <returns>The volume's path, <c>\\?\Volume{GUID}\</c>. The same location always becomes the same volume.</returns>
    /// <exception cref="ConversionException">This machine cannot mount CIMs of this kind, or Windows refused it; the message says why.</exception>
    public static string Mount(string location, params IReadOnlyList<BlockCim> sources) => Mount(MountableCim.At(location, sources));

    /// <summary>Dismounts a volume that a CIM was mounted as (hcsshim: <c>Unmount</c>).</summary>
    /// <param name="volume">Its path, or its GUID.</param>
    /// <exception cref="ConversionException">It is no volume's path, this machine has no CIMs mounted, or Windows refused it.</exception>
    public static void Dismount(string volume) =>
        Dismount(MountableCim.TryParseVolume(volume) ?? throw new ConversionException($"'{volume}' is no volume's path, as mounting a CIM gives it"));

    /// <exception cref="ConversionException">This machine cannot mount CIMs of this kind; the message says why.</exception>
    internal static void Require(bool isBlock, bool isVerified)
    {
        if (!CimSupport.CanMount(isBlock, isVerified, out var reason))
        {
            throw new ConversionException($"CIMs cannot be mounted here: {reason}");
        }

        NativeLibraries.RequireExports(
            CimFs.Library,
            isBlock ? [nameof(CimFs.CimMountImage), nameof(CimFs.CimMergeMountImage), nameof(CimFs.CimDismountImage)] : [nameof(CimFs.CimMountImage), nameof(CimFs.CimDismountImage)]);
        if (isVerified)
        {
            NativeLibraries.RequireExports(CimFs.Library, nameof(CimFs.CimMountVerifiedImage), nameof(CimFs.CimMergeMountVerifiedImage));
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
        NativeErrors.ThrowIfFailed(CimFs.CimDismountImage(volume), nameof(CimFs.CimDismountImage), MountableCim.VolumePath(volume));
    }

    /// <summary>The calls for verified CIMs imply that they are, and get no flag for it.</summary>
    private static (int Result, string Call) MountPlain(MountableCim cim) => cim.Root is { } root
        ? (CimFs.CimMountVerifiedImage(cim.Directory, cim.Name, Flags(cim), cim.VolumeId, (ushort)root.Length, root), nameof(CimFs.CimMountVerifiedImage))
        : (CimFs.CimMountImage(cim.Directory, cim.Name, Flags(cim), cim.VolumeId), nameof(CimFs.CimMountImage));

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
                ? (CimFs.CimMergeMountVerifiedImage((uint)paths.Length, paths, Flags(cim), cim.VolumeId, (ushort)root.Length, root), nameof(CimFs.CimMergeMountVerifiedImage))
                : (CimFs.CimMergeMountImage((uint)paths.Length, paths, Flags(cim), cim.VolumeId), nameof(CimFs.CimMergeMountImage));
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
