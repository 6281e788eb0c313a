using System.Text;

namespace CimConvert.Oci;

/// <summary>Text that came from elsewhere, made fit for one line of an error: no control characters, bounded length.</summary>
internal static class Printable
{
    public const int DefaultLength = 160;

    public static string Of(string text, int maxLength = DefaultLength)
    {
        var shown = new StringBuilder(Math.Min(text.Length, maxLength) + 3);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, maxLength)))
        {
            // Line separators, and surrogates halved by the cut, would break the line as much as a newline does.
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c);
        }

        return text.Length > maxLength ? shown.Append("...").ToString() : shown.ToString();
    }
}
