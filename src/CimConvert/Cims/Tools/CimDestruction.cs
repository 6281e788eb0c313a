using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Deletes a standard CIM and the files that its header names. The header is untrusted: no file that another CIM in the directory needs is
/// deleted, and nothing is deleted before everything has been checked.
/// </summary>
internal static class CimDestruction
{
    /// <summary>
    /// Appended to the <c>.cim</c> file's name while its CIM is destroyed: it is no CIM any more, but still says which files belong to it.
    /// </summary>
    private const string Suffix = ".destroying";

    /// <param name="cimFile">The <c>.cim</c> file. An interrupted destruction is continued.</param>
    /// <param name="force">
    /// Destroys it also if other CIMs are forked from it, its regions are missing, or a CIM beside it cannot be read.
    /// </param>
    /// <returns>Full paths of the deleted files.</returns>
    /// <exception cref="ConversionException">The CIM may not be destroyed; nothing was deleted.</exception>
    /// <exception cref="InvalidDataException">The CIM is damaged; nothing was deleted.</exception>
    public static IReadOnlyList<string> Destroy(string cimFile, bool force)
    {
        if (!StandardCim.IsLocation(cimFile))
        {
            throw new ConversionException($"'{cimFile}' is no standard CIM: its name does not end in '{OpenCim.StandardExtension}'; to remove a block file, delete it");
        }

        var condemned = Path.GetFullPath(cimFile) + Suffix;
        if (File.Exists(cimFile))
        {
            var cim = StandardCim.Open(cimFile);
            CheckNeighbours(cim, force);
            if (!force)
            {
                CheckRegions(cim);
            }

            File.Move(cim.Path, condemned, overwrite: true);
        }

        return Remove(cimFile, StandardCim.Open(File.Exists(condemned) ? condemned : cimFile));
    }

    private static List<string> Remove(string cimFile, StandardCim condemned)
    {
        var removed = new List<string>();
        foreach (var file in condemned.OwnFiles.Where(File.Exists))
        {
            File.Delete(file);
            removed.Add(file);
        }

        File.Delete(condemned.Path);
        return [.. removed, Path.GetFullPath(cimFile)];
    }

    private static void CheckNeighbours(StandardCim cim, bool force)
    {
        var own = cim.Header.Own.Id;
        if (cim.Header.Parents.Any(parent => parent.Id == own))
        {
            throw new InvalidDataException($"'{cim.Path}' has an inconsistent header: it lists its own region set as a parent");
        }

        var children = new List<string>();
        foreach (var file in cim.Neighbours())
        {
            if (TryReadHeader(file, force) is not { } header)
            {
                continue;
            }

            if (header.Own.Id == own)
            {
                throw new InvalidDataException($"'{cim.Path}' and '{file}' both claim the same regions: one of the headers is wrong, and neither CIM is destroyed");
            }

            if (header.Parents.Any(parent => parent.Id == own))
            {
                children.Add(Path.GetFileName(file));
            }
        }

        if (children.Count > 0 && !force)
        {
            throw new ConversionException(
                $"'{cim.Path}' has children, which cannot be used without it: {string.Join(", ", children)}; destroy those first, or use --force");
        }
    }

    private static CimHeader? TryReadHeader(string file, bool force)
    {
        try
        {
            return StandardCim.Open(file).Header;
        }
        catch (InvalidDataException e)
        {
            return force ? null : throw new ConversionException($"{e.Message}: whether it is forked from the CIM to destroy cannot be told; remove it, or use --force", e);
        }
    }

    private static void CheckRegions(StandardCim cim)
    {
        try
        {
            cim.CheckRegions();
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message}; --force removes what is there", e);
        }
    }
}
