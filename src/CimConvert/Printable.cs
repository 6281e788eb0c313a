using System.Text;

namespace CimConvert;

/// <summary>Makes untrusted text safe for a one-line message: replaces control characters and limits the length.</summary>
internal static class Printable
{
    public const int DefaultLength = 160;

    /// <summary>Fit for a part of a one-line message: bounded, and every character that breaks a line replaced by '?'.</summary>
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

    /// <summary>The whole text, with every control character replaced by '?'.</summary>
    public static string WithoutControls(string text) => string.Create(text.Length, text, static (shown, source) =>
    {
        for (var i = 0; i < shown.Length; i++)
        {
            shown[i] = char.IsControl(source[i]) ? '?' : source[i];
        }
    });
}
