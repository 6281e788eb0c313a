using System.Diagnostics;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// Looks after the thread that runs inputs. A hang is five seconds of this process' own processor time on one input, so that a busy
/// machine makes none, or two minutes of any time; memory is the process', less what it had before the first input.
/// </summary>
internal sealed class FuzzWatch
{
    public const long MemoryLimit = 500L << 20;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_processorLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_waitLimit = TimeSpan.FromMinutes(2);

    private readonly Action<string> _failed;
    private long _input;

    /// <param name="failed">Called once, from another thread, while the input is still being run; does not come back.</param>
    public FuzzWatch(Action<string> failed)
    {
        _failed = failed;
        new Thread(Watch) { IsBackground = true, Name = "watch", Priority = ThreadPriority.AboveNormal }.Start();
    }

    /// <summary>Says that another input is now being run.</summary>
    public void Begin() => Interlocked.Increment(ref _input);

    private void Watch()
    {
        using var process = Process.GetCurrentProcess();
        var memoryBefore = Environment.WorkingSet;
        var (input, processor, since) = (-1L, TimeSpan.Zero, Stopwatch.StartNew());
        while (true)
        {
            Thread.Sleep(s_period);
            process.Refresh();
            if (Interlocked.Read(ref _input) is var now && now != input)
            {
                (input, processor) = (now, process.TotalProcessorTime);
                since.Restart();
            }

            if (process.TotalProcessorTime - processor > s_processorLimit || since.Elapsed > s_waitLimit)
            {
                _failed($"hang: {process.TotalProcessorTime - processor} of processor time, {since.Elapsed} in all");
            }

            if (Environment.WorkingSet - memoryBefore > MemoryLimit)
            {
                _failed($"memory: {(Environment.WorkingSet - memoryBefore) >> 20} MiB");
            }
        }
    }
}
