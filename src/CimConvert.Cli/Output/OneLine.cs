namespace CimConvert.Cli.Output;

/// <summary>
/// Text for people, made of names that others chose: one line of it, and nothing that a terminal would take for a command. JSON has
/// the names as they are.
/// </summary>
internal static class OneLine
{
    public static string Of(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return string.Create(line.Length, line, static (shown, source) =>
        {
            for (var i = 0; i < shown.Length; i++)
            {
                shown[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }
}
