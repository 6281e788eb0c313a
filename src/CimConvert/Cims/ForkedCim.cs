namespace CimConvert.Cims;

/// <summary>What holds for forked CIMs whoever writes them.</summary>
internal static class ForkedCim
{
    /// <summary>All CIMs of a chain are in one directory: it is where Windows looks for the regions of the parents.</summary>
    public static void CheckDirectory(string cimFile, string? parentCim)
    {
        if (parentCim is not null && DirectoryOf(cimFile) != DirectoryOf(parentCim))
        {
            throw new ConversionException($"'{cimFile}' and its parent '{parentCim}' are not in one directory: all CIMs of a chain must be");
        }
    }

    private static string DirectoryOf(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;
}
