using System.CommandLine;
using CimConvert.Cims.Mounting;
using CimConvert.Cli.Output;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert dismount VOLUME|CIM|STORE::REF</c></summary>
internal static class DismountCommand
{
    public static Command Create()
    {
        var target = new Argument<string>("VOLUME|CIM|STORE::REF") { Description = "The volume's path, as printed by mount, or the same argument that was given to mount." };
        var platform = MountCommand.Platform();
        var osVersion = MountCommand.OsVersion();
        var json = CommonOptions.Json();
        var command = new Command("dismount", "Dismounts the volume of a CIM. Windows only.") { target, platform, osVersion, json, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var text = parsed.GetRequiredValue(target);
            var volume = MountableCim.TryParseVolume(text) ?? MountCommand.Find(
                text, MountCommand.Wanted(parsed.GetRequiredValue(platform), parsed.GetValue(osVersion)), sources: null).VolumeId;
            CimMount.Dismount(volume);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("volume", MountableCim.VolumePath(volume));
                    writer.WriteEndObject();
                });
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
