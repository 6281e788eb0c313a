using CimConvert.Pipeline;

namespace CimConvert.Prewarming;

/// <summary>How an image of the list ended.</summary>
public enum PrewarmOutcome
{
    /// <summary>At least one layer, or the merged CIM, was made.</summary>
    Converted,

    /// <summary>All of it was in the store already.</summary>
    Ready,

    /// <summary>The registry it is pushed to had it already, and it was left at that.</summary>
    Pushed,

    /// <summary>It could not be converted.</summary>
    Failed,

    /// <summary>Not begun, or given up, because another image failed and the list does not keep going.</summary>
    NotStarted,
}

/// <summary>One image of the list, and what became of it.</summary>
/// <param name="Image">As it is listed.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Conversion">What was made; null where nothing was.</param>
/// <param name="Attempts">How often it was tried; 0 where never.</param>
/// <param name="Retries">Requests and transfers that were tried again, in all attempts.</param>
/// <param name="Failure">Why it failed; null where it did not.</param>
internal sealed record PrewarmResult(PrewarmImage Image, PrewarmOutcome Outcome, ConversionResult? Conversion, int Attempts, int Retries, Exception? Failure)
{
    /// <summary>The failure in a line for the user.</summary>
    public string? Error => Failure?.Message;
}

/// <summary>What a run over a list did, in the list's order.</summary>
internal sealed record PrewarmReport(IReadOnlyList<PrewarmResult> Images)
{
    /// <summary>Images that are ready, in the store or where they are pushed to.</summary>
    public int Ready => Images.Count(image => image.Outcome is PrewarmOutcome.Converted or PrewarmOutcome.Ready or PrewarmOutcome.Pushed);

    public bool IsComplete => Ready == Images.Count;

    /// <summary>Whether nothing could be made because the disk is full: the machine's fault, and no image's.</summary>
    public bool IsStoppedByFullDisk => Ready == 0 && Images.All(image => Failures.IsDiskFull(image.Failure));
}
