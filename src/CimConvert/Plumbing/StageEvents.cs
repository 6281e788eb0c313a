using System.Diagnostics.Tracing;

namespace CimConvert.Plumbing;

/// <summary>What a stage is doing. The events contain the numbers.</summary>
internal enum StageState
{
    Ended = 0,
    Working = 1,
    WaitingForInput = 2,
    WaitingForOutput = 3,
}

/// <summary>
/// Trace events that say when a stage of the pipeline works and when it waits. The runtime writes them to a file with
/// <c>DOTNET_EnableEventPipe=1</c> and <c>DOTNET_EventPipeConfig=cimconvert-pipeline</c>. If they are not traced, a change only costs
/// checking a flag.
/// </summary>
[EventSource(Name = ProviderName)]
internal sealed class StageEvents : EventSource
{
    public const string ProviderName = "cimconvert-pipeline";

    private StageEvents()
    {
    }

    public static StageEvents Log { get; } = new();

    /// <param name="stage">The stage's name.</param>
    /// <param name="layer">0 for the base layer; -1 for a stage of the whole image.</param>
    /// <param name="state">The new <see cref="StageState"/>.</param>
    [Event(1, Level = EventLevel.Informational)]
    public void Change(string stage, int layer, int state) => WriteEvent(1, stage, layer, state);
}
