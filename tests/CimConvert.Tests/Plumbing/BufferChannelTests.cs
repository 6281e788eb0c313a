using CimConvert.Plumbing;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Plumbing;

public class BufferChannelTests
{
    private const int BufferSize = 1024;
    private const int Capacity = 2;

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(BufferSize - 1)]
    [TestCase(BufferSize)]
    [TestCase(BufferSize + 1)]
    [TestCase((BufferSize * 7) + 3)]
    public async Task What_goes_in_comes_out(int size)
    {
        var content = SeededContent.Bytes(size, size);
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        var counted = 0;
        var pump = channel.PumpAsync(new MemoryStream(content), n => counted += n, CancellationToken.None);
        var read = await OnThread(() => ReadAll(channel.Reader));
        Assert.That(await pump, Is.True);
        Assert.That(read, Is.EqualTo(content));
        Assert.That(counted, Is.EqualTo(size));
    }

    [TestCase(0)]
    [TestCase(BufferSize)]
    [TestCase((BufferSize * 50) + 3)]
    public async Task Every_reader_gets_everything(int size)
    {
        var content = SeededContent.Bytes(size, size);
        using var channel = new BufferChannel(BufferSize, Capacity, null, null, null, null);
        var readers = channel.Readers.Select((reader, i) => OnThread(() => i == 0 ? Slices(reader) : ReadAll(reader))).ToArray();
        var pump = OnThread(() => channel.Pump(new MemoryStream(content), _ => { }, CancellationToken.None));
        Assert.That(await Task.WhenAll(readers), Is.All.EqualTo(content));
        Assert.That(await pump, Is.True);
        Assert.That(channel.IsAbandoned, Is.False);
    }

    [Test]
    public async Task The_slowest_reader_holds_the_writer_up()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, null, null);
        var counted = 0;
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 100]), n => counted += n, CancellationToken.None);
        Assert.That(channel.Readers[0].Next().Length, Is.EqualTo(BufferSize));
        Assert.That(channel.Readers[0].Next().Length, Is.EqualTo(BufferSize));
        Assert.That(counted, Is.EqualTo(BufferSize * Capacity));
        channel.Abandon();
        Assert.That(await pump, Is.False);
        Assert.That(channel.Readers[0].Next().IsEmpty, "the others see an end");
        Assert.That(channel.IsAbandoned, "and can tell that it is none");
    }

    [Test]
    public async Task The_writer_runs_no_further_ahead_than_the_channel_is_long()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        var counted = 0;
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 100]), n => counted += n, CancellationToken.None);
        Assert.That(pump.IsCompleted, Is.False);
        Assert.That(counted, Is.EqualTo(BufferSize * Capacity));
        channel.Abandon();
        Assert.That(await pump, Is.False);
    }

    [Test]
    public void An_error_of_the_source_reaches_both_sides()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        var source = new FailingStream(new InvalidDataException("broken"));
        Assert.That(async () => await channel.PumpAsync(source, _ => { }, CancellationToken.None), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => ReadAll(channel.Reader), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("broken"));
    }

    [Test]
    public void An_error_of_a_source_that_is_read_synchronously_reaches_all_sides()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, null, null);
        var source = new FailingStream(new InvalidDataException("broken"));
        Assert.That(() => channel.Pump(source, _ => { }, CancellationToken.None), Throws.TypeOf<InvalidDataException>());
        foreach (var reader in channel.Readers)
        {
            Assert.That(() => ReadAll(reader), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("broken"));
        }
    }

    [Test]
    public void Failing_the_channel_reaches_the_reader()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        channel.Fail(new InvalidDataException("never opened"));
        Assert.That(() => ReadAll(channel.Reader), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("never opened"));
    }

    [Test]
    public void Cancelling_stops_a_writer_that_waits()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        using var cancellation = new CancellationTokenSource();
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 100]), _ => { }, cancellation.Token);
        cancellation.Cancel();
        Assert.That(async () => await pump, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => ReadAll(channel.Reader), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Cancelling_stops_a_writer_that_blocks_its_thread()
    {
        using var channel = new BufferChannel(BufferSize, Capacity, null, (StageClock?)null);
        using var cancellation = new CancellationTokenSource();
        var pump = OnThread(() => channel.Pump(new MemoryStream(new byte[BufferSize * 100]), _ => { }, cancellation.Token));
        await cancellation.CancelAsync();
        Assert.That(async () => await pump, Throws.InstanceOf<OperationCanceledException>());
    }

    private static Task<T> OnThread<T>(Func<T> work) => Task.Factory.StartNew(work, TaskCreationOptions.LongRunning);

    private static byte[] Slices(BufferReader reader)
    {
        using var to = new MemoryStream();
        while (reader.Next() is { IsEmpty: false } slice)
        {
            to.Write(slice.Span);
        }

        return to.ToArray();
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var to = new MemoryStream();
        stream.CopyTo(to, 700);
        return to.ToArray();
    }

    private sealed class FailingStream(Exception error) : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw error;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw error;
    }
}
