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
        var json = CommonOptions.Json();
        var command = new Command("dismount", "Dismounts the volume of a CIM. Windows only.") { target, json, CommonOptions.Verbose() };
        command.SetAction(parsed =>
        {
            var text = parsed.GetRequiredValue(target);
            var volume = MountableCim.TryParseVolume(text) ?? MountCommand.Find(text, sources: null).VolumeId;
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
