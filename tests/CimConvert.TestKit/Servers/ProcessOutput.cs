using System.Text;

namespace CimConvert.TestKit.Servers;

/// <summary>What a process has written to one of its outputs, readable while it still writes.</summary>
public sealed class ProcessOutput
{
    private readonly Lock gate = new();
    private readonly MemoryStream bytes = new();
    private TaskCompletionSource grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool ended;

    /// <summary>Everything so far.</summary>
    public byte[] ToArray()
    {
        lock (gate)
        {
            return bytes.ToArray();
        }
    }

    /// <summary>Everything so far, as UTF-8 text.</summary>
    public override string ToString() => Encoding.UTF8.GetString(ToArray());

    /// <summary>The first line <paramref name="wanted"/> accepts, as soon as it is whole.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> wanted, TimeSpan timeout)
    {
        using CancellationTokenSource deadline = new(timeout);
        while (true)
        {
            (Task change, bool last, string text) = Look();
            int end = last ? text.Length : text.LastIndexOf('\n') + 1;
            string? line = text[..end].Split('\n').FirstOrDefault(wanted);
            if (line is not null)
            {
                return line;
            }

            if (last)
            {
                throw new InvalidOperationException("The process ended without the line waited for. It wrote:\n" + text);
            }

            try
            {
                await change.WaitAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException late)
            {
                throw new TimeoutException($"No such line after {timeout}. The process wrote:\n{text}", late);
            }
        }
    }

    internal async Task ReadToEndAsync(Stream source)
    {
        byte[] buffer = new byte[1 << 16];
        int read;
        while ((read = await source.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            Append(buffer.AsSpan(0, read), end: false);
        }

        Append([], end: true);
    }

    private (Task Change, bool Last, string Text) Look()
    {
        lock (gate)
        {
            return (grown.Task, ended, Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
        }
    }

    private void Append(ReadOnlySpan<byte> more, bool end)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            bytes.Write(more);
            ended = end;
            waiting = grown;
            grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.TrySetResult();
    }
}
