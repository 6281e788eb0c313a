using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Removes a standard CIM with the files its header names. The header is untrusted: nothing goes that another CIM in the
/// directory needs, and nothing at all before everything has been looked at.
/// </summary>
internal static class CimDestruction
{
    /// <summary>What a CIM is called while it is being destroyed: no CIM any more, and still enough to find the rest by.</summary>
    private const string Suffix = ".destroying";

    /// <param name="cimFile">The <c>.cim</c> file. One whose destruction was cut short is taken up again.</param>
    /// <param name="force">Also one that others are forked from, that lacks regions, or beside which a CIM cannot be read.</param>
    /// <returns>Whole paths of the files that are gone.</returns>
    /// <exception cref="ConversionException">It is refused, and nothing was removed.</exception>
    /// <exception cref="InvalidDataException">It is damaged, and nothing was removed.</exception>
    public static IReadOnlyList<string> Destroy(string cimFile, bool force)
    {
        if (!StandardCim.IsLocation(cimFile))
        {
            throw new ConversionException($"'{cimFile}' is no standard CIM: its name does not end in '{OpenCim.StandardExtension}'; a block file is removed as any file is");
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
            throw new InvalidDataException($"'{cim.Path}' gives its own regions as its parent's: its header lies");
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
                throw new InvalidDataException($"'{cim.Path}' and '{file}' say that the same regions are theirs: one header lies, and neither is destroyed");
            }

            if (header.Parents.Any(parent => parent.Id == own))
            {
                children.Add(Path.GetFileName(file));
            }
        }

        if (children.Count > 0 && !force)
        {
            throw new ConversionException(
                $"'{cim.Path}' has children, which would be of no use without it: {string.Join(", ", children)}; destroy those first, or use --force");
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
