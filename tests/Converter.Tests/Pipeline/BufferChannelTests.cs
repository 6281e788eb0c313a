using Converter.Core.Pipeline;
using Converter.TestKit;
using NUnit.Framework;

namespace Converter.Tests.Pipeline;

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
        using var channel = new BufferChannel(BufferSize, Capacity);
        var counted = 0;
        var pump = channel.PumpAsync(new MemoryStream(content), n => counted += n, CancellationToken.None);
        var read = await Task.Factory.StartNew(() => ReadAll(channel.Reader), TaskCreationOptions.LongRunning);
        Assert.That(await pump, Is.True);
        Assert.That(read, Is.EqualTo(content));
        Assert.That(counted, Is.EqualTo(size));
    }

    [Test]
    public async Task The_writer_runs_no_further_ahead_than_the_channel_is_long()
    {
        using var channel = new BufferChannel(BufferSize, Capacity);
        var counted = 0;
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 100]), n => counted += n, CancellationToken.None);
        Assert.That(pump.IsCompleted, Is.False);
        Assert.That(counted, Is.LessThanOrEqualTo(BufferSize * (Capacity + 1)));
        channel.Abandon();
        Assert.That(await pump, Is.False);
    }

    [Test]
    public void An_error_of_the_source_reaches_both_sides()
    {
        using var channel = new BufferChannel(BufferSize, Capacity);
        var source = new FailingStream(new InvalidDataException("broken"));
        Assert.That(async () => await channel.PumpAsync(source, _ => { }, CancellationToken.None), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => ReadAll(channel.Reader), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("broken"));
    }

    [Test]
    public void Failing_the_channel_reaches_the_reader()
    {
        using var channel = new BufferChannel(BufferSize, Capacity);
        channel.Fail(new InvalidDataException("never opened"));
        Assert.That(() => ReadAll(channel.Reader), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("never opened"));
    }

    [Test]
    public void Cancelling_stops_a_writer_that_waits()
    {
        using var channel = new BufferChannel(BufferSize, Capacity);
        using var cancellation = new CancellationTokenSource();
        var pump = channel.PumpAsync(new MemoryStream(new byte[BufferSize * 100]), _ => { }, cancellation.Token);
        cancellation.Cancel();
        Assert.That(async () => await pump, Throws.InstanceOf<OperationCanceledException>());
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var to = new MemoryStream();
        stream.CopyTo(to, 700);
        return to.ToArray();
    }

    private sealed class FailingStream(Exception error) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw error;
    }
}
