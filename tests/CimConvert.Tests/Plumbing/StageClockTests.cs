using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using CimConvert.Plumbing;
using NUnit.Framework;

namespace CimConvert.Tests.Plumbing;

/// <summary>Events of the whole process arrive here: each test looks at stages of its own name.</summary>
public class StageClockTests
{
    private const int Layer = 3;
    private const int BufferSize = 16;

    [Test]
    public void A_stage_says_what_it_does_when_that_changes()
    {
        using var events = new StageListener("changes");
        using (var clock = StageClock.Start("changes", Layer))
        {
            clock.Work();
            clock.WaitForInput();
            clock.WaitForInput();
            clock.Work();
            clock.WaitForOutput();
        }

        Assert.That(events.States, Is.EqualTo(new[]
        {
            StageState.Working, StageState.WaitingForInput, StageState.Working, StageState.WaitingForOutput, StageState.Ended,
        }));
        Assert.That(events.Layers, Is.All.EqualTo(Layer));
    }

    [Test]
    public async Task The_stage_before_a_full_channel_waits_for_output()
    {
        using var events = new StageListener("faster");
        using var channel = new BufferChannel(BufferSize, capacity: 1, new StageClock("faster", Layer), (StageClock?)null);
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 3]), _ => { }, CancellationToken.None);
        Assert.That(events.States, Is.EqualTo(new[] { StageState.Working, StageState.WaitingForOutput }));
        channel.Abandon();
        await pump;
        Assert.That(events.States.Last(), Is.EqualTo(StageState.Ended));
    }

    [Test]
    public async Task The_stage_behind_an_empty_channel_waits_for_input()
    {
        using var events = new StageListener("slower");
        using var channel = new BufferChannel(BufferSize, capacity: 1, from: null, new StageClock("slower", Layer));
        var reading = Task.Factory.StartNew(() => channel.Reader.ReadByte(), TaskCreationOptions.LongRunning);
        Assert.That(() => events.States, Is.EqualTo(new[] { StageState.WaitingForInput }).After(10_000, 1));
        await channel.PumpAsync(new MemoryStream(new byte[1]), _ => { }, CancellationToken.None);
        await reading;
        Assert.That(events.States, Is.EqualTo(new[] { StageState.WaitingForInput, StageState.Working }));
        Assert.That(channel.Reader.ReadByte(), Is.EqualTo(-1));
        Assert.That(events.States.Last(), Is.EqualTo(StageState.Ended));
    }

    private sealed class StageListener : EventListener
    {
        private readonly ConcurrentQueue<(string Stage, int Layer, int State)> _changes = new();
        private readonly string _stage;

        public StageListener(string stage)
        {
            _stage = stage;
            EnableEvents(StageEvents.Log, EventLevel.Informational);
        }

        public IEnumerable<StageState> States => [.. Mine.Select(change => (StageState)change.State)];

        public IEnumerable<int> Layers => [.. Mine.Select(change => change.Layer)];

        private IEnumerable<(string Stage, int Layer, int State)> Mine => _changes.Where(change => change.Stage == _stage);

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventSource == StageEvents.Log && eventData.Payload is [string stage, int layer, int state])
            {
                _changes.Enqueue((stage, layer, state));
            }
        }
    }
}
