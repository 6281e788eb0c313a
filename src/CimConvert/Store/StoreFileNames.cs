namespace CimConvert.Store;

/// <summary>The names of CIMs and of their files in a layer's folder (docs/store.md).</summary>
internal static class StoreFileNames
{
    /// <summary>The CIM in a layer's block file, and the <c>.cim</c> file of a forked CIM.</summary>
    public const string LayerCim = "layer.cim";

    /// <summary>The CIM in a merged CIM's block file.</summary>
    public const string MergedCim = "merged.cim";

    /// <summary>A layer's block file.</summary>
    public static string Layer(bool vhdFooter) => vhdFooter ? "layer.vhd" : "layer.bcim";

    /// <summary>The block file of an image's merged CIM.</summary>
    public static string Merged(bool vhdFooter) => vhdFooter ? "merged.vhd" : "merged.bcim";
}
