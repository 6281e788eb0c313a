using CimConvert.Formats.Tar;

namespace CimConvert.Layers.UtilityVm;

/// <summary>Enumerates the entries of a tar that is read twice, with the same numbers both times.</summary>
internal static class NumberedEntries
{
    /// <summary>Passes on each entry with its number, from 0 on; unread data of an entry is skipped.</summary>
    /// <exception cref="LayerImportException">An entry is not acceptable; the exception names it.</exception>
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
