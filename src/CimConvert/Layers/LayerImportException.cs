using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>A layer that cannot be imported; the message is one line and names the tar entry at fault, where it is one.</summary>
internal sealed class LayerImportException : ConversionException
{
    private const int MaxShownName = 200;

    public LayerImportException(string entryName, long tarOffset, string reason, Exception? cause = null)
        : base($"entry '{Shown(entryName)}' at offset {tarOffset}: {reason}", cause)
    {
        EntryName = entryName;
        TarOffset = tarOffset;
    }

    public LayerImportException(string reason, Exception? cause = null)
        : base(reason, cause)
    {
    }

    /// <summary>Of an entry by its path, whether it came from a tar or not.</summary>
    internal static LayerImportException Of(CimPath path, long? tarOffset, Exception cause) => tarOffset is { } offset
        ? new LayerImportException(path.Value, offset, cause.Message, cause)
        : new LayerImportException($"entry '{Shown(path.Value)}': {cause.Message}", cause);

    public string? EntryName { get; }

    /// <summary>Where the entry's header lies in the uncompressed tar.</summary>
    public long? TarOffset { get; }

    /// <summary>Names come from the tar: control characters must reach neither a terminal nor a log's next line.</summary>
    private static string Shown(string name)
    {
        var text = name.Length <= MaxShownName ? name : string.Concat(name.AsSpan(0, MaxShownName), "...");
        return Printable.WithoutControls(text.Replace('/', CimPath.Separator));
    }
}
