using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert hive configure-boot BCD</c> and <c>hive prepare-system SYSTEM</c>: make a utility VM boot from a CIM.</summary>
internal static class HiveBootCommands
{
    public static Command CreateConfigureBoot()
    {
        var bcd = new Argument<string>("BCD") { Description = @"The boot configuration of a base layer, UtilityVM\Files\EFI\Microsoft\Boot\BCD." };
        var cim = new Option<string>("--cim")
        {
            Description = @"Path of the .cim file, relative to the directory that is shared with the VM, such as cim-layers\1.cim.",
            Required = true,
            HelpName = "PATH",
        };
        var disk = Id("--disk", "GPT disk GUID of the scratch disk.");
        var partition = Id("--partition", "GPT partition GUID of its partition.");
        var output = Output();
        var json = CommonOptions.Json();
        var command = new Command("configure-boot", "Changes a utility VM's boot configuration to boot from a CIM.")
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
        var system = new Argument<string>("SYSTEM") { Description = @"The SYSTEM hive of a base layer's utility VM, UtilityVM\Files\Windows\System32\config\SYSTEM." };
        var output = Output();
        var json = CommonOptions.Json();
        var command = new Command("prepare-system", "Changes a utility VM's SYSTEM hive so that it boots from a CIM.") { system, output, json, CommonOptions.Verbose() };
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
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"'{input}': {e.Message}", e);
            }
        }
    }

    private static Option<string> Output() =>
        new("--output", "-o") { Description = "The hive file to write, which must not exist yet.", Required = true, HelpName = "FILE" };

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
