namespace CimConvert.Storage;

/// <summary>
/// Refuses to write through symbolic links and junctions: a link that another user left under a name we write to would redirect the
/// data. hcsshim does the same (github.com/microsoft/hcsshim, internal/safefile).
/// </summary>
internal static class HostLinks
{
    /// <exception cref="IOException">The path is a link.</exception>
    public static void Refuse(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target)
        {
            throw new IOException($"'{path}' is a link, to '{target}', and nothing is written through links: remove it, or choose another place");
        }
    }

    /// <summary>As <see cref="Refuse"/>, for a path and all folders between it and a trusted root.</summary>
    /// <param name="root">The start of the path that is trusted, without a separator at its end.</param>
    /// <param name="path">A path below the root.</param>
    /// <exception cref="IOException">One of them is a link.</exception>
    public static void RefuseBelow(string root, string path)
    {
        for (var current = path; current.Length > root.Length; current = Path.GetDirectoryName(current)!)
        {
            Refuse(current);
        }
    }
}
