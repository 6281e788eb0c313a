namespace CimConvert.Registry.Http;

/// <summary>What the transfers of one image took; several threads count at once.</summary>
internal sealed class TransferCount
{
    private long _bytes;
    private int _retries;

    /// <summary>Bytes that came over the wire, those thrown away after a broken connection included.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Requests and transfers that were tried again.</summary>
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
