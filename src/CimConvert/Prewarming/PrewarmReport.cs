using CimConvert.Oci;
using CimConvert.Pipeline;

namespace CimConvert.Prewarming;

/// <summary>The outcome for one image in the list.</summary>
public enum PrewarmOutcome
{
    /// <summary>At least one layer or the merged CIM was written, or the image was registered with containerd.</summary>
    Converted,

    /// <summary>Everything was there already.</summary>
    Ready,

    /// <summary>Skipped, since the registry it is pushed to had it already.</summary>
    Pushed,

    /// <summary>It could not be converted.</summary>
    Failed,

    /// <summary>Not started, or cancelled, because another image failed and the list does not keep going.</summary>
    NotStarted,

    /// <summary>Somebody else's conversion was taken from a registry.</summary>
    Pulled,
}

/// <summary>The result for one image in the list.</summary>
/// <param name="Image">The image in the list.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Conversion">The result of the conversion; null if there is none.</param>
/// <param name="Attempts">How often the conversion was started.</param>
/// <param name="Retries">Requests and transfers that were retried, in all attempts.</param>
/// <param name="Failure">Why it failed, else null.</param>
internal sealed record PrewarmResult(PrewarmImage Image, PrewarmOutcome Outcome, ConversionSummary? Conversion, int Attempts, int Retries, Exception? Failure)
{
    /// <summary>The image's platform, or what was asked for if there is no conversion.</summary>
    public Platform Platform => Conversion?.Image.Platform ?? Image.Wanted;

    /// <summary>The failure's message, one line.</summary>
    public string? Error => Failure?.Message;
}

/// <summary>The result of a run, in the order of the list.</summary>
internal sealed record PrewarmReport(IReadOnlyList<PrewarmResult> Images)
{
    /// <summary>How many images are ready, in the store or in the registry they are pushed to.</summary>
    public int Ready => Images.Count(image => image.Outcome is PrewarmOutcome.Converted or PrewarmOutcome.Ready or PrewarmOutcome.Pulled or PrewarmOutcome.Pushed);

    public bool IsComplete => Ready == Images.Count;

    /// <summary>Whether every image failed because the disk is full.</summary>
    public bool IsStoppedByFullDisk => Ready == 0 && Images.All(image => Failures.IsDiskFull(image.Failure));
}
