using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive configure-boot BCD</c> and <c>hive prepare-system SYSTEM</c>: a utility VM that starts from a CIM.</summary>
internal static class HiveBootCommands
{
    public static Command CreateConfigureBoot()
    {
        var bcd = new Argument<string>("BCD") { Description = @"The boot configuration, UtilityVM\Files\EFI\Microsoft\Boot\BCD of a base layer." };
        var cim = new Option<string>("--cim")
        {
            Description = @"The .cim file, from the directory that is shared with the VM, such as cim-layers\1.cim.",
            Required = true,
            HelpName = "PATH",
        };
        var disk = Id("--disk", "Id of the scratch disk, which has a GPT.");
        var partition = Id("--partition", "Id of its partition.");
        var output = Output();
        var json = CommonOptions.Json();
        var command = new Command("configure-boot", "Makes a utility VM's boot configuration start from a CIM.")
        {
            bcd, cim, disk, partition, output, json, CommonOptions.Verbose(),
        };
        command.SetAction((parsed, _) => Change(
            parsed.GetRequiredValue(bcd),
            hive => CimBoot.ConfigureBoot(hive, parsed.GetRequiredValue(cim), parsed.GetValue(disk), parsed.GetValue(partition)),
            parsed.GetRequiredValue(output),
            parsed.GetValue(json)));
        return command;
    }

    public static Command CreatePrepareSystem()
    {
        var system = new Argument<string>("SYSTEM") { Description = @"The hive UtilityVM\Files\Windows\System32\config\SYSTEM of a base layer." };
        var output = Output();
        var json = CommonOptions.Json();
        var command = new Command("prepare-system", "Makes a utility VM's SYSTEM hive ready to start from a CIM.") { system, output, json, CommonOptions.Verbose() };
        command.SetAction((parsed, _) => Change(
            parsed.GetRequiredValue(system), CimBoot.PrepareSystem, parsed.GetRequiredValue(output), parsed.GetValue(json)));
        return command;
    }

    private static Task<int> Change(string input, Func<Hive, Hive> change, string output, bool asJson)
    {
        var file = new FileInfo(output);
        NewHive.Write(file.FullName, partial => HiveFile.Write(Changed(), partial));
        if (asJson)
        {
            JsonOutput.WriteDocument(json =>
            {
                json.WriteStartObject();
                json.WriteString("path", file.FullName);
                json.WriteNumber("size", file.Length);
                json.WriteEndObject();
            });
        }
        else
        {
            Console.WriteLine($"{file.FullName}: {Sizes.Of(file.Length)}");
        }

        return Task.FromResult(ExitCodes.Done);

        Hive Changed()
        {
            var hive = HiveFile.Read(input);
            try
            {
                return change(hive);
            }
            catch (InvalidDataException wrong)
            {
                throw new InvalidDataException($"'{input}': {wrong.Message}", wrong);
            }
        }
    }

    private static Option<string> Output() =>
        new("--output", "-o") { Description = "The hive to make; nothing may have the name yet.", Required = true, HelpName = "FILE" };

    private static Option<Guid> Id(string name, string description) => new(name)
    {
        Description = description,
        Required = true,
        HelpName = "GUID",
        CustomParser = result =>
        {
            if (!Guid.TryParse(result.Tokens[^1].Value, out var id))
            {
                result.AddError($"'{result.Tokens[^1].Value}' is no GUID.");
            }

            return id;
        },
    };
}
