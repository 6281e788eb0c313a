using System.Buffers;

namespace CimConvert.Registry.Hosts;

/// <summary>Reads addresses that others wrote, in manifests, challenges and settings.</summary>
internal static class WebAddress
{
    /// <summary>Marks of the order of text (Unicode, UAX 9). No address has any, and <see cref="Uri"/>, which strips them, may fail over their place.</summary>
    private static readonly SearchValues<char> s_orderMarks = SearchValues.Create("\u200e\u200f\u202a\u202b\u202c\u202d\u202e");

    /// <summary>An absolute address; null where the text is none.</summary>
    public static Uri? TryRead(string? text) =>
        !text.AsSpan().ContainsAny(s_orderMarks) && Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : null;
}
