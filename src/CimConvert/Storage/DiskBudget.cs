using System.Globalization;
using CimConvert.Store;

namespace CimConvert.Storage;

/// <summary>
/// Holds conversions to their share of the disk. What is written is counted as it comes, and the disk itself asked every now and
/// then: others write to it, too.
/// </summary>
/// <param name="store">Whose disk it is.</param>
/// <param name="minFree">Bytes that must stay free; null where none must.</param>
/// <param name="maxStore">The most bytes the store may hold; null for no limit.</param>
internal sealed class DiskBudget(ConversionStore store, long? minFree, long? maxStore)
{
    /// <summary>How much may be written between two looks at the disk.</summary>
    public const long Interval = 32 << 20;

    private long _written;
    private long _lookedAt = long.MinValue;

    /// <summary>Counts bytes that are written to the store.</summary>
    /// <exception cref="DiskBudgetException">They are more than there is room for.</exception>
    public void Take(long bytes)
    {
        var written = Interlocked.Add(ref _written, bytes);
        var lookedAt = Interlocked.Read(ref _lookedAt);
        if (written - Interval >= lookedAt && Interlocked.CompareExchange(ref _lookedAt, written, lookedAt) == lookedAt)
        {
            Check(0);
        }
    }

    /// <summary>Looks whether there is room for more.</summary>
    /// <param name="more">Bytes that are about to be written, as far as is known.</param>
    /// <exception cref="DiskBudgetException">There is not.</exception>
    public void Check(long more)
    {
        if (minFree is { } floor && FreeSpace() - more is var free && free < floor)
        {
            throw new DiskBudgetException(string.Create(
                CultureInfo.InvariantCulture, $"the disk budget is used up: with this, {Math.Max(free, 0)} bytes would stay free on the store's disk, and minFree is {floor}"));
        }

        if (maxStore is { } ceiling && StoreSize.Of(store) + more is var size && size > ceiling)
        {
            throw new DiskBudgetException(string.Create(
                CultureInfo.InvariantCulture, $"the disk budget is used up: with this, the store would hold {size} bytes, and maxStore is {ceiling}; 'cimconvert gc' makes room"));
        }
    }

    private long FreeSpace() => new DriveInfo(store.Root).AvailableFreeSpace;
}
