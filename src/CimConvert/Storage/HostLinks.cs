namespace CimConvert.Storage;

/// <summary>
/// Keeps what is written where it was meant to be: a symbolic link or junction that somebody left under a name we write to would
/// lead it elsewhere. hcsshim's internal/safefile is there for the same.
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

    /// <summary>The same for a path and everything above it, up to a folder that is trusted.</summary>
    /// <param name="root">Of the path's start, without a separator at its end.</param>
    /// <param name="path">Lies below it.</param>
    /// <exception cref="IOException">One of them is a link.</exception>
    public static void RefuseBelow(string root, string path)
    {
        for (var at = path; at.Length > root.Length; at = Path.GetDirectoryName(at)!)
        {
            Refuse(at);
        }
    }
}
