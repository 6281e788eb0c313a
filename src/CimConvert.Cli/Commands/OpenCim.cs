using CimConvert.Cims;
using CimConvert.Store;

namespace CimConvert.Cli.Commands;

/// <summary>Opens the CIM that a command names, with its sources: those named, else those the store knows of.</summary>
internal static class OpenCim
{
    public static CimImage Open(string location, string[]? sources) =>
        CimImage.Open(location, sources is { Length: > 0 } ? sources : ConversionStore.SourcesOf(location));
}
