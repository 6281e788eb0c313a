using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CimConvert.Interop;

namespace CimConvert.Cims.Mounting;

/// <summary>A CIM as Windows mounts it: where it lies, what a merged one was merged from, and the root digest a sealed one must have.</summary>
/// <param name="Directory">The folder of a standard CIM, a block file or a device; whole, as Windows' libraries take it.</param>
/// <param name="Name">The CIM's name in it.</param>
/// <param name="Sources">Of a merged CIM, topmost first, in the order they were merged in.</param>
/// <param name="IsBlock">Whether it lies in a block file or on a device, not in a folder.</param>
/// <param name="Root">Every read is checked against it; null mounts without.</param>
internal sealed record MountableCim(string Directory, string Name, IReadOnlyList<BlockCim> Sources, bool IsBlock, byte[]? Root)
{
    private const string MergedCimName = "merged.cim";
    private const string VolumePrefix = @"\\?\Volume{";
    private const string VolumeSuffix = @"}\";

    /// <summary>
    /// The volume it becomes. The id follows from the place, so that whoever mounted a CIM can dismount it knowing no more.
    /// (RFC 9562, section 5.8: version 8 is for ids that are made in a way of one's own.)
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
    /// <param name="sources">Of a merged CIM.</param>
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

    /// <summary>The path programs reach a volume by.</summary>
    public static string VolumePath(Guid id) => $"{VolumePrefix}{id:D}{VolumeSuffix}";

    /// <summary>Reads a volume's path, with or without the last <c>\</c>, or its bare id.</summary>
    public static Guid? TryParseVolume(string text)
    {
        var id = text.StartsWith(VolumePrefix, StringComparison.OrdinalIgnoreCase)
            ? text[VolumePrefix.Length..].TrimEnd('\\').TrimEnd('}')
            : text;
        return Guid.TryParseExact(id, "D", out var parsed) ? parsed : null;
    }

    public override string ToString() => $"{Directory}{OpenCim.NameSeparator}{Name}";
}
