using System.Diagnostics.Tracing;

namespace CimConvert.Plumbing;

/// <summary>What a stage is doing. The numbers are in the events.</summary>
internal enum StageState
{
    Ended = 0,
    Working = 1,
    WaitingForInput = 2,
    WaitingForOutput = 3,
}

/// <summary>
/// Says when a stage of the pipeline works and when it waits, to whoever traces the process: the runtime itself writes the events
/// to a file with <c>DOTNET_EnableEventPipe=1</c> and <c>DOTNET_EventPipeConfig=cimconvert-pipeline</c>. Untraced, a change costs a test of a flag.
/// </summary>
[EventSource(Name = ProviderName)]
internal sealed class StageEvents : EventSource
{
    public const string ProviderName = "cimconvert-pipeline";

    private StageEvents()
    {
    }

    public static StageEvents Log { get; } = new();

    /// <param name="stage">Its name.</param>
    /// <param name="layer">0 for the base layer; -1 where the stage is of the image as a whole.</param>
    /// <param name="state">A <see cref="StageState"/>, from now on.</param>
    [Event(1, Level = EventLevel.Informational)]
    public void Change(string stage, int layer, int state) => WriteEvent(1, stage, layer, state);
}
