using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>Names that a writer cannot have as a layer gives them.</summary>
internal static class NameRefusals
{
    /// <summary>
    /// A directory that is there and hides what lower layers have in it: CimFS has a call to remove a name of lower layers,
    /// and none for this. Both at one path would leave to chance whether removed files come back.
    /// </summary>
    public static InvalidDataException NotOpaque(CimPath directory) => new(
        $"directory '{directory}' is to hide what lower layers have in it, and Windows' writer has no call for that; --backend managed can");
}
