using System.Text;

namespace CimConvert.Formats.Regf;

/// <summary>A registry hive in memory: its tree of keys and the metadata of its base block.</summary>
internal sealed class Hive
{
    public const char PathSeparator = '\\';

    public Hive(HiveKey root)
    {
        ArgumentNullException.ThrowIfNull(root);
        Root = root;
    }

    public HiveKey Root { get; }

    /// <summary>Minor version of the file that was read, 3 to 6; the writer chooses its own (FORMAT.md).</summary>
    public int MinorVersion { get; init; } = HiveVersion.Plain;

    /// <summary>FILETIME.</summary>
    public long LastWritten { get; init; }

    /// <summary>The end of the hive's path, stored for debugging; truncated to 32 characters when written.</summary>
    public string FileName { get; init; } = string.Empty;

    /// <summary>
    /// Finds a key by its path from the root, ignoring case. Empty components are skipped, so <c>\</c> and the empty path are the root.
    /// </summary>
    /// <param name="path">Names joined by <c>\</c>.</param>
    /// <param name="canonicalPath">The path in the hive's spelling, starting with <c>\</c>.</param>
    /// <returns>Null if there is no such key.</returns>
    public HiveKey? Find(string path, out string canonicalPath)
    {
        ArgumentNullException.ThrowIfNull(path);
        var key = Root;
        var spelled = new StringBuilder();
        foreach (var range in path.AsSpan().Split(PathSeparator))
        {
            var name = path.AsSpan()[range];
            if (name.IsEmpty)
            {
                continue;
            }

            if (key.FindSubkey(name) is not { } next)
            {
                canonicalPath = string.Empty;
                return null;
            }

            key = next;
            spelled.Append(PathSeparator).Append(key.Name);
        }

        canonicalPath = spelled.Length == 0 ? PathSeparator.ToString() : spelled.ToString();
        return key;
    }
}
