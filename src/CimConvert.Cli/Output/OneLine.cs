namespace CimConvert.Cli.Output;

/// <summary>
/// Untrusted text as one line without control characters, which a terminal would obey. JSON output has the names unchanged.
/// </summary>
internal static class OneLine
{
    public static string Of(string text) => Printable.WithoutControls(text.ReplaceLineEndings(" "));
}
