using Microsoft.Extensions.Logging;

namespace CimConvert.Prewarming;

/// <summary>Lets images start while the list's window is open, and holds them back while it is closed. What has started is not stopped.</summary>
internal sealed class StartGate(DailyWindow? window, TimeProvider time, ILogger logger)
{
    /// <summary>The clock is looked at anew so often: somebody may set it, and the machine may sleep.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMinutes(1);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (window is null || window.UntilOpen(time.GetLocalNow()) is not { Ticks: > 0 } wait)
        {
            return;
        }

        logger.LogInformation("outside the window {Window}: going on in {Hours:0}:{Minutes:00}", window, Math.Floor(wait.TotalHours), wait.Minutes);
        do
        {
            await Task.Delay(wait < s_look ? wait : s_look, time, cancellationToken);
            wait = window.UntilOpen(time.GetLocalNow());
        }
        while (wait > TimeSpan.Zero);
    }
}
