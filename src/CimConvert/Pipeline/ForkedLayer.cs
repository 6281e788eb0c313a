using CimConvert.Cims;
using CimConvert.Storage;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>
/// A layer's forked CIM in a folder of its own. Windows and we look for the regions of a CIM beside it, so the folder gets those
/// of all layers below, as links: they take no space, and a layer that is removed takes nothing from those above it.
/// </summary>
internal static class ForkedLayer
{
    /// <summary>What the parent is called in the folder while the layer is written.</summary>
    private const string ParentName = "parent.cim";

    public static ICimWriter Create(ICimBackend backend, string cimFile, string? parentCim)
    {
        var parent = parentCim is null ? null : Path.Combine(Path.GetDirectoryName(cimFile)!, ParentName);
        if (parent is not null)
        {
            Link(parentCim!, parent);
        }

        return backend.CreateForked(cimFile, parent);
    }

    /// <summary>Describes a CIM that is committed; the parent's regions stay, its name does not.</summary>
    public static (FileRecord Cim, IReadOnlyList<CimFileRecord>? CimFiles) Finish(CommittedCim cim, string cimName, CancellationToken cancellationToken)
    {
        File.Delete(Path.Combine(Path.GetDirectoryName(cim.Path)!, ParentName));
        return StoredLayer.DescribeForked(cim, cimName, cancellationToken);
    }

    private static void Link(string parentCim, string link)
    {
        var parent = StandardCim.Open(parentCim);
        var folder = Path.GetDirectoryName(link)!;
        foreach (var file in parent.ParentFiles.Concat(parent.OwnFiles).Where(File.Exists))
        {
            LinkFile(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        LinkFile(parent.Path, link);
    }

    private static void LinkFile(string file, string link)
    {
        if (!HardLink.TryCreate(link, file))
        {
            AtomicFile.Copy(link + AtomicFile.TemporarySuffix, link, file);
        }
    }
}
