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
/// What a tar entry's name means: the path, and whether the entry is a file, one of its alternate streams, or a whiteout (OCI image
/// specification, layer.md, "Whiteouts"; for streams github.com/microsoft/go-winio, backuptar/tar.go).
/// </summary>
internal readonly record struct EntryName(EntryNameKind Kind, CimPath Path, string Stream = "")
{
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueMarker = ".wh..wh..opq";
    private const string DataType = "$DATA";

    /// <param name="text">The entry's name in the tar.</param>
    /// <param name="isRegularFile">
    /// Only regular files have alternate streams; in the name of another entry, ':' is a forbidden character.
    /// </param>
    /// <exception cref="InvalidDataException">The name is not allowed in a layer.</exception>
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

    /// <summary>
    /// go-winio's backuptar package writes no <c>:$DATA</c> after a stream's name, but hcsshim's importer requires it: both forms are
    /// accepted.
    /// </summary>
    private static string StreamName(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        if (colon >= 0 && !text[(colon + 1)..].Equals(DataType, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException("a stream of a type other than $DATA");
        }

        var name = colon < 0 ? text : text[..colon];
        return CimPath.ValidateName(name) is { } why ? throw new InvalidDataException($"a stream name that {why}") : name.ToString();
    }
}
