using CimConvert.Prewarming;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace CimConvert.Tests.Prewarming;

public class WindowAndShardTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    [TestCase("22:00-05:30", "21:59", 1)]
    [TestCase("22:00-05:30", "22:00", 0)]
    [TestCase("22:00-05:30", "00:00", 0)]
    [TestCase("22:00-05:30", "05:29", 0)]
    [TestCase("22:00-05:30", "05:30", 16 * 60 + 30)]
    [TestCase("09:00-17:00", "08:00", 60)]
    [TestCase("09:00-17:00", "12:00", 0)]
    [TestCase("09:00-17:00", "17:00", 16 * 60)]
    public void A_window_opens_in_so_many_minutes(string window, string now, int minutes) => Assert.That(
        DailyWindow.Parse(window).UntilOpen(At(now)), Is.EqualTo(TimeSpan.FromMinutes(minutes)));

    [TestCase("22:00")]
    [TestCase("22:00-22:00")]
    [TestCase("22:00-24:00")]
    [TestCase("22:0-23:00")]
    [TestCase("a-b")]
    public void What_is_no_window_is_refused(string text) => Assert.That(() => DailyWindow.Parse(text), Throws.TypeOf<InvalidDataException>());

    [Test]
    public async Task Nothing_starts_before_the_window_opens()
    {
        var clock = new FakeTimeProvider(At("21:00"));
        var waiting = new StartGate(DailyWindow.Parse("22:00-05:30"), clock, NullLogger.Instance).WaitAsync(default);
        for (var minute = 0; minute < 60; minute++)
        {
            Assert.That(waiting.IsCompleted, Is.False, $"{clock.GetUtcNow()}");
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        await waiting.WaitAsync(s_patience);
    }

    /// <summary>Someone sets the clock while a run waits: the new time counts.</summary>
    [Test]
    public async Task A_clock_that_jumps_is_looked_at_anew()
    {
        var clock = new FakeTimeProvider(At("06:00"));
        var waiting = new StartGate(DailyWindow.Parse("22:00-05:30"), clock, NullLogger.Instance).WaitAsync(default);
        Assert.That(waiting.IsCompleted, Is.False);
        clock.SetUtcNow(At("23:00"));
        await waiting.WaitAsync(s_patience);
    }

    [Test]
    public void Waiting_ends_with_the_run()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.That(
            () => new StartGate(DailyWindow.Parse("22:00-05:30"), new FakeTimeProvider(At("06:00")), NullLogger.Instance).WaitAsync(cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Every_image_is_in_one_shard_and_stays_there()
    {
        var images = Enumerable.Range(0, 1000).Select(i => FormattableString.Invariant($"host.example/app:{i}")).ToArray();
        var shards = Enumerable.Range(0, 7).Select(i => new Shard(i, 7)).ToArray();
        var counts = shards.Select(shard => images.Count(shard.Has)).ToArray();
        Assert.That(images.Select(image => shards.Count(shard => shard.Has(image))), Is.All.EqualTo(1));
        Assert.That(counts, Is.All.InRange(100, 190), "the parts are of a size");
        Assert.That(images.Where(new Shard(0, 1).Has), Is.EqualTo(images));

        // Written down, because machines of different versions may share a list.
        Assert.That(Enumerable.Range(0, 4).Single(i => new Shard(i, 4).Has("docker.io/library/a:latest")), Is.EqualTo(3));
    }

    [TestCase("0/1")]
    [TestCase("3/4")]
    public void Shards_are_read(string text) => Assert.That($"{Shard.Parse(text).Index}/{Shard.Parse(text).Count}", Is.EqualTo(text));

    [TestCase("4/4")]
    [TestCase("-1/4")]
    [TestCase("0/0")]
    [TestCase("1")]
    [TestCase("0/10001")]
    public void What_is_no_shard_is_refused(string text) => Assert.That(() => Shard.Parse(text), Throws.TypeOf<InvalidDataException>());

    private static DateTimeOffset At(string time) =>
        new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero) + TimeOnly.Parse(time, System.Globalization.CultureInfo.InvariantCulture).ToTimeSpan();
}
