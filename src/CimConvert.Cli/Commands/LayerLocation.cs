using System.CommandLine;

namespace CimConvert.Cli.Commands;

/// <summary>A standard CIM, named by its file or by the layer folder it belongs to.</summary>
internal static class LayerLocation
{
    public static Argument<string> Argument() => new("CIM")
    {
        Description = "A standard .cim file, or a layer folder whose CIM is in the folder cim-layers beside it.",
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
