using System.CommandLine;
using CimConvert.Cims;
using CimConvert.Cims.Mounting;
using CimConvert.Cli.Output;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Store;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert mount CIM|STORE::REF</c></summary>
internal static class MountCommand
{
    public static Command Create()
    {
        var target = Target();
        var platform = Platform();
        var osVersion = OsVersion();
        var sources = CommonOptions.Sources();
        var json = CommonOptions.Json();
        var command = new Command("mount", "Mounts a CIM as a volume, and prints the volume's path. Windows only, and only for CIMs that the native back end wrote.")
        {
            target, platform, osVersion, sources, json, CommonOptions.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var cim = Find(parsed.GetRequiredValue(target), Wanted(parsed.GetRequiredValue(platform), parsed.GetValue(osVersion)), parsed.GetValue(sources));
            var volume = CimMount.Mount(cim);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("volume", volume);
                    writer.WriteString("cim", cim.ToString());
                    writer.WriteBoolean("verified", cim.Root is not null);
                    writer.WriteStartArray("sources");
                    foreach (var source in cim.Sources)
                    {
                        writer.WriteStringValue(source.BlockFile);
                    }

                    writer.WriteEndArray();
                    writer.WriteEndObject();
                });
            }
            else
            {
                Console.WriteLine(volume);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    public static Argument<string> Target() => new("CIM|STORE::REF")
    {
        Description = "A block file, FILE::NAME for one of several CIMs in it, a standard .cim file, or an image in a store by its reference.",
    };

    public static Option<Platform> Platform() => CommonOptions.Platform("The platform, if the image in the store has several.");

    public static Option<string?> OsVersion() => CommonOptions.OsVersion(
        "The Windows version, if the image in the store has several: in full or its first parts, or 'host' for this machine's version, which is the default.");

    public static PlatformRequest Wanted(Platform platform, string? osVersion) =>
        new() { Platform = platform, OsVersion = osVersion, HostVersion = HostVersion.OfThisWindows };

    public static MountableCim Find(string location, PlatformRequest wanted, string[]? sources)
    {
        // First, so that a machine that cannot mount says so, whatever the location is.
        CimMount.Require(isBlock: false, isVerified: false);
        return StoredImage.IsLocation(location)
            ? StoredImage.Find(location, wanted)
            : MountableCim.At(
                location,
                [.. (sources is { Length: > 0 } ? sources : ConversionStore.SourcesOf(BlockCim.Parse(location).BlockFile)).Select(BlockCim.Parse)]);
    }
}
