namespace CimConvert.Registry.Http;

/// <summary>Counts the transfers of one image. Thread-safe.</summary>
internal sealed class TransferCount
{
    private long _bytes;
    private int _retries;

    /// <summary>Bytes received, including those dropped after a broken connection.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Requests and transfers that were retried.</summary>
    public int Retries => Volatile.Read(ref _retries);

    internal void AddBytes(int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        Instruments.Downloaded.Add(bytes);
    }

    internal void AddRetry()
    {
        Interlocked.Increment(ref _retries);
        Instruments.Retries.Add(1);
    }
}
