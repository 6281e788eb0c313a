using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.UtilityVm;

namespace CimConvert.Pipeline;

/// <summary>
/// Makes the block CIM that a utility VM boots from, out of a base layer's tar. File names, seal and footer are those of hcsshim's
/// pkg/extractuvm and its command mkuvmcim.
/// </summary>
internal sealed class BootCimImport(ICimBackend backend, InputLimits limits)
{
    public const string BlockFileName = "boot.bcim";
    public const string CimName = "boot.cim";

    /// <summary>A boot CIM is always sealed, and has the footer that lets it be attached as a disk.</summary>
    public static BlockCimOptions Options { get; } = new(Integrity: true, VhdFooter: true);

    /// <summary>Reads the tar twice, because which files the utility VM's links lead to is only known at its end.</summary>
    /// <param name="layerTar">The path of the tar; its first bytes tell its compression.</param>
    /// <param name="directory">The directory for the block file and the file with its root digest; created if it is missing.</param>
    /// <param name="cancellationToken">Cancels, and leaves no block file behind.</param>
    /// <exception cref="LayerImportException">The layer has no utility VM, or an entry that cannot be stored.</exception>
    public async Task<(UtilityVmResult Import, CommittedCim Cim)> RunAsync(string layerTar, string directory, CancellationToken cancellationToken)
    {
        var plan = await LayerFile.ReadAsync(layerTar, limits, (tar, token) => UtilityVmPlan.Read(tar, limits, token), cancellationToken);
        Directory.CreateDirectory(directory);
        using var cim = backend.Create(Path.Combine(directory, BlockFileName), CimName, Options);
        var result = await LayerFile.ReadAsync(layerTar, limits, (tar, token) => UtilityVmImport.Import(tar, cim, plan, token), cancellationToken);
        return (result, cim.Commit(cancellationToken));
    }
}
