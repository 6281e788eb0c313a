namespace CimConvert.Plumbing;

/// <summary>
/// Reports to <see cref="StageEvents"/> what one stage of one layer is doing, whenever it changes. Used by the stage alone, which may
/// continue on another thread after an await. Disposing reports that the stage has ended.
/// </summary>
/// <param name="stage">The stage's name in the events.</param>
/// <param name="layer">0 for the base layer; <see cref="WholeImage"/> for a stage of the image.</param>
internal sealed class StageClock(string stage, int layer) : IDisposable
{
    public const int WholeImage = -1;

    private StageState _state;

    /// <summary>Creates the clock of a stage that works from now on.</summary>
    public static StageClock Start(string stage, int layer)
    {
        var clock = new StageClock(stage, layer);
        clock.Work();
        return clock;
    }

    public void Work() => Change(StageState.Working);

    public void WaitForInput() => Change(StageState.WaitingForInput);

    public void WaitForOutput() => Change(StageState.WaitingForOutput);

    public void Dispose() => Change(StageState.Ended);

    private void Change(StageState state)
    {
        if (state != _state && StageEvents.Log.IsEnabled())
        {
            _state = state;
            StageEvents.Log.Change(stage, layer, (int)state);
        }
    }
}
