using Microsoft.Extensions.Logging;

namespace CimConvert.Prewarming;

/// <summary>Makes images wait for the list's start window. Conversions that have started are not stopped when it closes.</summary>
internal sealed class StartGate(DailyWindow? window, TimeProvider time, ILogger logger)
{
    /// <summary>How often the clock is read again: it may be set, and the machine may sleep.</summary>
    private static readonly TimeSpan s_clockInterval = TimeSpan.FromMinutes(1);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (window is null || window.UntilOpen(time.GetLocalNow()) is not { Ticks: > 0 } wait)
        {
            return;
        }

        logger.LogInformation("outside the window {Window}: waiting {Hours:0}:{Minutes:00} for the start window", window, Math.Floor(wait.TotalHours), wait.Minutes);
        do
        {
            await Task.Delay(wait < s_clockInterval ? wait : s_clockInterval, time, cancellationToken);
            wait = window.UntilOpen(time.GetLocalNow());
        }
        while (wait > TimeSpan.Zero);
    }
}
