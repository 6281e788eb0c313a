using System.Diagnostics.CodeAnalysis;
using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Registry;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Takes a layer from one of its image's conversions, if it fits into its place; else the layer is imported from the source, or that is
/// an error.
/// </summary>
internal sealed class SnapshotTaking(LayerPlan plan, SnapshotConversions conversions, ContainerdTarget target, ConversionOptions options, ILogger logger) : IDisposable
{
    private SnapshotPull? _pull;

    /// <summary>Why the layer cannot be taken; null if that is not known.</summary>
    private string? _whyNot;

    /// <summary>What is downloaded for the layer: the files of a converted image, or the source's blob.</summary>
    public IReadOnlyList<LayerPlan> Files { get; private set; } = [plan];

    /// <summary>Begins to download what the layer will probably be taken from.</summary>
    /// <param name="turn">Ends when the layer below is in containerd.</param>
    /// <param name="slot">The turn to import, see <see cref="SnapshotPull.WaitForImportAsync"/>.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <returns>False if the source's blob is needed.</returns>
    public bool TryStart(Task turn, [NotNullWhen(true)] out Task<IDisposable?>? slot, CancellationToken cancellationToken)
    {
        if (conversions.Expected(plan) is not { } conversion)
        {
            slot = null;
            return false;
        }

        options.Limits.Disk?.Check(conversion.Layer.Files.Sum(file => file.Size));
        slot = Use(conversion).WaitForImportAsync(turn, cancellationToken);
        return true;
    }

    /// <summary>After a failed download: whether the source's blob can be used instead.</summary>
    public bool TryGiveUp(Exception failure)
    {
        if (_pull is null || !MayImport(failure))
        {
            return false;
        }

        _whyNot = failure.Message;
        Drop();
        return true;
    }

    /// <summary>Puts the layer into its place.</summary>
    /// <returns>Null if the layer must be imported from the source.</returns>
    /// <exception cref="ConversionException">It cannot be taken, and must be.</exception>
    public async Task<SnapshotLayer?> TryAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        if (!conversions.Any)
        {
            return null;
        }

        var (conversion, whyNot) = conversions.Fitting(plan, mount, target.SelectBackend(SnapshotImport.OptionsOf(mount)).Name);
        whyNot ??= _whyNot;
        if (conversion is not null && whyNot is null)
        {
            (var cim, whyNot) = await PullAsync(Use(conversion), mount, cancellationToken);
            if (cim is not null)
            {
                return new SnapshotLayer(plan, cim.Path, cim.Size, LayerOrigin.Converted) { From = conversion.From };
            }
        }

        Drop();
        if (conversions.IsRequired)
        {
            throw new ConversionException($"no converted image was found whose layer can be taken: {whyNot}");
        }

        if (mount.Kind == MountKind.CimFs)
        {
            conversions.End("a layer below it was imported here, and its regions have other names than those that it was converted upon");
        }

        logger.LogWarning("{Layer}: not taken from a converted image, but imported: {Reason}", plan.Name, whyNot);
        return null;
    }

    /// <summary>Called when the layer is in containerd: the downloaded files are removed.</summary>
    public void Finish() => _pull?.Finish();

    public void Dispose()
    {
        _pull?.Dispose();
        _pull = null;
    }

    private SnapshotPull Use(SnapshotConversion conversion)
    {
        if (_pull is null || _pull.Conversion != conversion)
        {
            Drop();
            _pull = new SnapshotPull(conversion, target.Ingest, options, logger);
            Files = conversion.Files;
        }

        return _pull;
    }

    /// <summary>What was downloaded is of no use to anybody.</summary>
    private void Drop()
    {
        Finish();
        Dispose();
        Files = [plan];
    }

    private async Task<(CommittedCim? Cim, string? WhyNot)> PullAsync(SnapshotPull pull, SnapshotMount mount, CancellationToken cancellationToken)
    {
        try
        {
            return await pull.RunAsync(mount, cancellationToken);
        }
        catch (Exception e) when (MayImport(e))
        {
            return (null, e.Message);
        }
    }

    /// <summary>Whether a failure is the converted image's, for good, and no reason not to import the source's layer.</summary>
    private bool MayImport(Exception failure) =>
        !conversions.IsRequired && (failure is InvalidDataException || (failure is RegistryException && !ConversionAttempt.KeepsWhatIsDone(failure)));
}
