using System.Buffers;

namespace CimConvert.Registry.Hosts;

/// <summary>Parses URLs of untrusted input: manifests, challenges and settings.</summary>
internal static class WebAddress
{
    /// <summary>Marks of text direction (Unicode, UAX 9). No URL contains one; <see cref="Uri"/> strips them and may fail then.</summary>
    private static readonly SearchValues<char> s_directionMarks = SearchValues.Create("\u200e\u200f\u202a\u202b\u202c\u202d\u202e");

    /// <summary>An absolute URL; null if the text is not one.</summary>
    public static Uri? TryRead(string? text) =>
        !text.AsSpan().ContainsAny(s_directionMarks) && Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : null;
}
