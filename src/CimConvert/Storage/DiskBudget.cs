using System.Globalization;

namespace CimConvert.Storage;

/// <summary>Thrown when a configured limit, not the disk, is exhausted.</summary>
internal sealed class DiskBudgetException(string message) : ConversionException(message);

/// <summary>
/// Limits how much of the disk conversions use. Written bytes are counted as they come; the disk itself is measured from time to
/// time, since other processes write to it too.
/// </summary>
/// <param name="folder">A folder of the disk.</param>
/// <param name="minFree">Bytes that must stay free on the disk; null for no such limit.</param>
/// <param name="maxStore">The most bytes the store may hold; null for no limit.</param>
/// <param name="measureStore">Measures what the store holds, in bytes.</param>
internal sealed class DiskBudget(string folder, long? minFree, long? maxStore, Func<long> measureStore)
{
    /// <summary>How many bytes may be written between two measurements.</summary>
    public const long Interval = 32 << 20;

    private long _written;
    private long _writtenWhenChecked = long.MinValue;

    /// <summary>Counts bytes that are written to the store.</summary>
    /// <exception cref="DiskBudgetException">A limit is exceeded.</exception>
    public void Take(long bytes)
    {
        var written = Interlocked.Add(ref _written, bytes);
        var whenChecked = Interlocked.Read(ref _writtenWhenChecked);
        if (written - Interval >= whenChecked && Interlocked.CompareExchange(ref _writtenWhenChecked, written, whenChecked) == whenChecked)
        {
            Check(0);
        }
    }

    /// <summary>Measures the disk.</summary>
    /// <param name="more">Bytes that are about to be written, as far as known.</param>
    /// <exception cref="DiskBudgetException">With them, a limit is exceeded.</exception>
    public void Check(long more)
    {
        if (minFree is { } floor && FreeSpace() - more is var free && free < floor)
        {
            throw new DiskBudgetException(string.Create(
                CultureInfo.InvariantCulture, $"the disk budget is used up: with this, {Math.Max(free, 0)} bytes would stay free on the store's disk, and minFree is {floor}"));
        }

        if (maxStore is { } ceiling && measureStore() + more is var size && size > ceiling)
        {
            throw new DiskBudgetException(string.Create(
                CultureInfo.InvariantCulture, $"the disk budget is used up: with this, the store would hold {size} bytes, and maxStore is {ceiling}; 'cimconvert gc' makes room"));
        }
    }

    private long FreeSpace() => new DriveInfo(folder).AvailableFreeSpace;
}
