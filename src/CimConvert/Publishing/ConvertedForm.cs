using CimConvert.Cims;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>What a converted image's files are like. Those of two forms cannot be mixed in one image.</summary>
/// <param name="Backend">What wrote the CIMs.</param>
/// <param name="Forked">Forked CIMs, else block CIMs.</param>
/// <param name="Integrity">Whether the block files are sealed.</param>
/// <param name="VhdFooter">Whether the block files end in a VHD footer.</param>
internal sealed record ConvertedForm(string Backend, bool Forked, bool Integrity, bool VhdFooter)
{
    public static ConvertedForm Of(string backend, bool forked, BlockCimOptions options) => new(backend, forked, options.Integrity, options.VhdFooter);

    public static ConvertedForm Of(string backend, bool forked, FileRecord file) => new(backend, forked, file.IntegrityRoot is not null, file.VhdFooter);

    /// <summary>For messages: <c>managed block CIMs, sealed, with VHD footer</c>.</summary>
    public override string ToString() =>
        $"{Backend} {(Forked ? "forked" : "block")} CIMs{(Integrity ? ", sealed" : string.Empty)}{(VhdFooter ? ", with VHD footer" : string.Empty)}";
}
