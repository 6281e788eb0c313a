using System.CommandLine;

namespace CimConvert.Cli.Commands;

/// <summary>A standard CIM, named by itself or by the layer folder it belongs to.</summary>
internal static class LayerLocation
{
    public static Argument<string> Argument() => new("CIM")
    {
        Description = "The .cim file of a standard set, or a layer folder with its CIM in cim-layers beside it.",
    };

    public static string CimOf(string location)
    {
        if (!Directory.Exists(location))
        {
            return Path.GetFullPath(location);
        }

        return CimLayer.IsCimLayer(location)
            ? CimLayer.GetCimPath(location)
            : throw new ConversionException($"'{location}' is no CIM layer: there is no '{CimLayer.GetCimPath(location)}'");
    }
}
