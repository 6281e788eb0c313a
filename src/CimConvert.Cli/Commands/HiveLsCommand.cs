using System.CommandLine;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive ls HIVE [KEY]</c></summary>
internal static class HiveLsCommand
{
    public static Command Create()
    {
        var hive = HiveCommand.Hive();
        var key = HiveCommand.OptionalKey();
        var json = CommonOptions.Json();
        var command = new Command("ls", "Lists a key's subkeys, and its values with type and size.") { hive, key, json, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var (found, path) = OpenHive.FindKey(parsed.GetRequiredValue(hive), parsed.GetValue(key)!);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer => HiveReport.WriteJson(writer, found, path));
            }
            else
            {
                HiveReport.WriteText(found, Console.Out);
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
