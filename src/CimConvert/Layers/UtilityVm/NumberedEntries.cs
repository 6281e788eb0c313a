using CimConvert.Formats.Tar;

namespace CimConvert.Layers.UtilityVm;

/// <summary>Goes over a layer's tar when it is read more than once: both times its entries have the same numbers.</summary>
internal static class NumberedEntries
{
    /// <summary>Hands over entry by entry with its number, from 0 on; what is not read of an entry's data is passed over.</summary>
    /// <exception cref="LayerImportException">An entry was found wanting; names it.</exception>
    /// <exception cref="InvalidDataException">The tar itself is malformed.</exception>
    public static void ForEach(Stream tar, Action<TarReader, int> take, CancellationToken cancellationToken)
    {
        using var reader = new TarReader(tar);
        for (var number = 0; reader.MoveNext(); number = checked(number + 1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                take(reader, number);
            }
            catch (InvalidDataException wrong)
            {
                throw new LayerImportException(reader.Name, reader.HeaderOffset, wrong.Message, wrong);
            }
        }

        reader.Drain();
    }
}
