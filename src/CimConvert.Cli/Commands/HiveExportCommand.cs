using System.CommandLine;
using CimConvert.Formats.Regf;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive export HIVE [KEY]</c></summary>
internal static class HiveExportCommand
{
    private const int BufferSize = 64 * 1024;

    public static Command Create()
    {
        var hive = HiveCommand.Hive();
        var key = HiveCommand.OptionalKey();
        var command = new Command("export", "Writes a key and everything below it as .reg text to standard output.") { hive, key, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var (found, path) = OpenHive.FindKey(parsed.GetRequiredValue(hive), parsed.GetValue(key)!);
            using var output = new BufferedStream(Console.OpenStandardOutput(), BufferSize);
            RegExport.Write(found, path, output);
            return ExitCodes.Done;
        });
        return command;
    }
}
