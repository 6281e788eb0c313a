using CimConvert.Registry;
using Microsoft.Extensions.Time.Testing;

namespace CimConvert.Tests.Registry;

/// <summary>Options and waits for clients whose clock the test sets.</summary>
internal static class FakeClock
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    /// <summary>With no limit on responses: however slow this machine is, only what the test waits for runs out.</summary>
    public static RegistryOptions WithClock(this RegistryOptions options, FakeTimeProvider clock) =>
        options with { TimeProvider = clock, ResponseTimeout = TimeSpan.FromDays(1) };

    /// <summary>Waits, on the real clock, for what another thread does.</summary>
    public static Task UntilAsync(Func<bool> isDone) => StepAsync(() => { }, isDone);

    /// <summary>Lets time pass in steps, because what waits for it may begin to wait only now.</summary>
    public static Task AdvanceUntilAsync(this FakeTimeProvider clock, TimeSpan step, Func<bool> isDone) => StepAsync(() => clock.Advance(step), isDone);

    private static async Task StepAsync(Action step, Func<bool> isDone)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!isDone())
        {
            step();
            await Task.Delay(1, limit.Token);
        }
    }
}
