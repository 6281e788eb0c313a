using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CimConvert.Interop;

namespace CimConvert.Cims.Mounting;

/// <summary>What Windows needs to mount a CIM: where it is, the sources of a merged one, and the root digest of a sealed one.</summary>
/// <param name="Directory">The folder of a standard CIM, a block file, or a device, as the full path that Windows' libraries take.</param>
/// <param name="Name">The CIM's name there.</param>
/// <param name="Sources">The sources of a merged CIM, topmost first, in the order in which they were merged.</param>
/// <param name="IsBlock">Whether the CIM is in a block file or on a device, not in a folder.</param>
/// <param name="Root">The root digest that every read is verified against; null mounts without verification.</param>
internal sealed record MountableCim(string Directory, string Name, IReadOnlyList<BlockCim> Sources, bool IsBlock, byte[]? Root)
{
    private const string MergedCimName = "merged.cim";
    private const string VolumePrefix = @"\\?\Volume{";
    private const string VolumeSuffix = @"}\";

    /// <summary>
    /// The ID of the CIM's volume. It is derived from the location, so that a CIM can be dismounted by its location alone. A UUID of
    /// version 8, which RFC 9562, section 5.8, sets aside for custom schemes.
    /// </summary>
    public Guid VolumeId
    {
        get
        {
            const int versionAt = 6, variantAt = 8;
            var text = ToString().ToUpperInvariant();
            var id = SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())).AsSpan(0, 16);
            id[versionAt] = (byte)((id[versionAt] & 0x0F) | 0x80);
            id[variantAt] = (byte)((id[variantAt] & 0x3F) | 0x80);
            return new Guid(id, bigEndian: true);
        }
    }

    /// <param name="location">A block file, <c>FILE::NAME</c>, or a standard <c>.cim</c> file.</param>
    /// <param name="sources">The sources of a merged CIM.</param>
    public static MountableCim At(string location, IReadOnlyList<BlockCim> sources)
    {
        var source = BlockCim.Parse(location);
        var path = NativePath.Of(source.BlockFile);
        if (source.CimName is null && path.EndsWith(OpenCim.StandardExtension, StringComparison.OrdinalIgnoreCase))
        {
            return new MountableCim(Path.GetDirectoryName(path)!, Path.GetFileName(path), sources, IsBlock: false, Root: null);
        }

        var root = BlockCim.IsDevice(path)
            ? null
            : IntegrityFile.TryRead(Path.Combine(Path.GetDirectoryName(path)!, sources.Count > 0 ? IntegrityFile.MergedName : IntegrityFile.LayerName));
        return new MountableCim(path, source.CimName ?? (sources.Count > 0 ? MergedCimName : BlockCim.DefaultName), sources, IsBlock: true, root);
    }

    /// <summary>The path by which programs reach a volume.</summary>
    public static string VolumePath(Guid id) => $"{VolumePrefix}{id:D}{VolumeSuffix}";

    /// <summary>Parses a volume's path, with or without its last <c>\</c>, or a bare ID.</summary>
    public static Guid? TryParseVolume(string text)
    {
        var id = text.StartsWith(VolumePrefix, StringComparison.OrdinalIgnoreCase)
            ? text[VolumePrefix.Length..].TrimEnd('\\').TrimEnd('}')
            : text;
        return Guid.TryParseExact(id, "D", out var parsed) ? parsed : null;
    }

    public override string ToString() => $"{Directory}{OpenCim.NameSeparator}{Name}";
}
