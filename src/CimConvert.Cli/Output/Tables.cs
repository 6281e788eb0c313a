using Spectre.Console;

namespace CimConvert.Cli.Output;

/// <summary>Tables on standard output.</summary>
internal static class Tables
{
    private const int Wide = 4096;

    public static Table WithColumns(params string[] columns) => new Table().Border(TableBorder.Simple).AddColumns(columns);

    /// <summary>Without line breaks in cells if the output is redirected, since Spectre.Console wraps at 80 columns then.</summary>
    public static void Draw(Table table)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = Wide;
        }

        console.Write(table);
    }
}
