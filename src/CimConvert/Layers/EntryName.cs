using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

internal enum EntryNameKind
{
    Plain,
    AlternateStream,
    Whiteout,
    OpaqueWhiteout,
}

/// <summary>
/// What a tar entry's name says: the file meant, and whether the entry is the file, one of its streams, or its removal
/// (OCI image specification, layer.md, "Whiteouts"; go-winio backuptar for streams).
/// </summary>
internal readonly record struct EntryName(EntryNameKind Kind, CimPath Path, string Stream = "")
{
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueMarker = ".wh..wh..opq";
    private const string DataType = "$DATA";

    /// <param name="text">The tar's name for the entry.</param>
    /// <param name="isRegularFile">Only regular entries may be streams: for others a ':' is just a forbidden character.</param>
    /// <exception cref="InvalidDataException">The name cannot lie in an image.</exception>
    public static EntryName Parse(string text, bool isRegularFile)
    {
        if (text.Length == 0)
        {
            throw new InvalidDataException("an entry without a name");
        }

        var trimmed = text.AsSpan().TrimEnd(@"/\");
        var baseStart = trimmed.LastIndexOfAny('/', '\\') + 1;
        var baseName = trimmed[baseStart..];
        if (baseName.StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
        {
            var folder = CimPath.Parse(text[..baseStart]);
            return baseName.SequenceEqual(OpaqueMarker)
                ? new EntryName(EntryNameKind.OpaqueWhiteout, folder)
                : new EntryName(EntryNameKind.Whiteout, folder.Append(baseName[WhiteoutPrefix.Length..].ToString()));
        }

        var colon = isRegularFile ? baseName.IndexOf(':') : -1;
        return colon < 0
            ? new EntryName(EntryNameKind.Plain, CimPath.Parse(text))
            : new EntryName(EntryNameKind.AlternateStream, CimPath.Parse(text[..(baseStart + colon)]), StreamName(baseName[(colon + 1)..]));
    }

    /// <summary>Backuptar writes no <c>:$DATA</c> after a stream's name, and its importer demands it: both forms are read.</summary>
    private static string StreamName(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        if (colon >= 0 && !text[(colon + 1)..].Equals(DataType, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException("a stream of another type than $DATA");
        }

        var name = colon < 0 ? text : text[..colon];
        return CimPath.ValidateName(name) is { } why ? throw new InvalidDataException($"a stream name that {why}") : name.ToString();
    }
}
