using System.CommandLine;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive cat HIVE KEY VALUE</c></summary>
internal static class HiveCatCommand
{
    public static Command Create()
    {
        var hive = HiveCommand.Hive();
        var key = new Argument<string>("KEY") { Description = @"Path of the key, with \ or / between names; \ for the root." };
        var name = new Argument<string>("VALUE") { Description = "Name of the value; @ for the key's default value." };
        var command = new Command("cat", "Writes a value's raw data to standard output.") { hive, key, name, CommonOptions.Verbose() };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (found, path) = OpenHive.FindKey(parsed.GetRequiredValue(hive), parsed.GetRequiredValue(key));
            var value = OpenHive.FindValue(found, path, parsed.GetRequiredValue(name));
            await using var output = Console.OpenStandardOutput();
            await output.WriteAsync(value.Data, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }
}
