using System.CommandLine;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive ls|cat|export|merge|configure-boot|prepare-system</c></summary>
internal static class HiveCommand
{
    public static Command Create() => new("hive", "Reads and merges registry hives, and changes those of a utility VM to boot from a CIM.")
    {
        HiveLsCommand.Create(),
        HiveCatCommand.Create(),
        HiveExportCommand.Create(),
        HiveMergeCommand.Create(),
        HiveBootCommands.CreateConfigureBoot(),
        HiveBootCommands.CreatePrepareSystem(),
    };

    public static Argument<string> Hive() => new("HIVE") { Description = "A registry hive file, such as those in a layer's folder Hives." };

    public static Argument<string> OptionalKey() => new("KEY")
    {
        Description = @"Path of a key, with \ or / between names. Default: the root.",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => string.Empty,
    };
}
