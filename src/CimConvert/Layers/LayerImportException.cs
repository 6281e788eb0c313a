using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>A layer that cannot be imported; the message is one line and names the tar entry at fault, where it is one.</summary>
public sealed class LayerImportException : ConversionException
{
    private const int MaxShownName = 200;

    internal LayerImportException(string entryName, long tarOffset, string reason, Exception? cause = null)
        : base($"entry '{Shown(entryName)}' at offset {tarOffset}: {reason}", cause)
    {
        EntryName = entryName;
        TarOffset = tarOffset;
    }

    internal LayerImportException(string reason, Exception? cause = null)
        : base(reason, cause)
    {
    }

    /// <summary>Of an entry by its path, whether it came from a tar or not.</summary>
    internal static LayerImportException Of(CimPath path, long? tarOffset, Exception cause) => tarOffset is { } offset
        ? new LayerImportException(path.Value, offset, cause.Message, cause)
        : new LayerImportException($"entry '{Shown(path.Value)}': {cause.Message}", cause);

    /// <summary>The tar entry at fault, as the tar names it; null where none is.</summary>
    public string? EntryName { get; }

    /// <summary>Where the entry's header lies in the uncompressed tar, in bytes; null where no entry is at fault, or none came from a tar.</summary>
    public long? TarOffset { get; }

    /// <summary>Names come from the tar: control characters must reach neither a terminal nor a log's next line.</summary>
    private static string Shown(string name)
    {
        var text = name.Length <= MaxShownName ? name : string.Concat(name.AsSpan(0, MaxShownName), "...");
        return string.Create(text.Length, text, static (shown, source) =>
        {
            for (var i = 0; i < shown.Length; i++)
            {
                shown[i] = source[i] == '/' ? '\\' : char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }
}
