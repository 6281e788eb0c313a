using System.Text;

namespace CimConvert.Oci;

/// <summary>Makes untrusted text safe for a one-line message: replaces control characters and limits the length.</summary>
internal static class Printable
{
    public const int DefaultLength = 160;

    public static string Of(string text, int maxLength = DefaultLength)
    {
        var shown = new StringBuilder(Math.Min(text.Length, maxLength) + 3);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, maxLength)))
        {
            // Line separators break the line like a newline, and the cut may leave half a surrogate pair.
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c);
        }

        return text.Length > maxLength ? shown.Append("...").ToString() : shown.ToString();
    }
}
