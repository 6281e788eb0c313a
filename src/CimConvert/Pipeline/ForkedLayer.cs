using CimConvert.Cims;
using CimConvert.Storage;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>
/// A layer's forked CIM in a folder of its own. The regions of a CIM are looked for beside it, so the folder gets hard links to those of
/// all layers below: they take no space, and removing a layer does not affect the layers above it.
/// </summary>
internal static class ForkedLayer
{
    /// <summary>The parent's name in the folder while the layer is written.</summary>
    private const string ParentName = "parent.cim";

    public static ICimWriter Create(ICimBackend backend, string cimFile, string? parentCim)
    {
        var parent = parentCim is null ? null : Path.Combine(Path.GetDirectoryName(cimFile)!, ParentName);
        if (parent is not null)
        {
            LinkRegions(parentCim!, Path.GetDirectoryName(cimFile)!);
            HardLink.CreateOrCopy(parent, parentCim!);
        }

        return backend.CreateForked(cimFile, parent);
    }

    /// <summary>Describes a committed CIM. The links to the parent's regions stay; the link to its <c>.cim</c> file is removed.</summary>
    public static (FileRecord Cim, IReadOnlyList<RegionFileRecord>? RegionFiles) Finish(CommittedCim cim, string cimName, CancellationToken cancellationToken)
    {
        File.Delete(Path.Combine(Path.GetDirectoryName(cim.Path)!, ParentName));
        return StoredLayer.DescribeForked(cim, cimName, cancellationToken);
    }

    /// <summary>Links the regions of a CIM and of all below it into a folder.</summary>
    public static void LinkRegions(string cimFile, string folder)
    {
        var cim = StandardCim.Open(cimFile);
        foreach (var file in cim.ParentFiles.Concat(cim.OwnFiles).Where(File.Exists))
        {
            HardLink.CreateOrCopy(Path.Combine(folder, Path.GetFileName(file)), file);
        }
    }
}
