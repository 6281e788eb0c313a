namespace CimConvert.Formats.Regf;

/// <summary>Makes the exceptions for malformed hives.</summary>
internal static class RegfError
{
    public static InvalidDataException Hive(string problem) => new($"hive: {problem}");

    /// <summary>Gives the cell's offset in the format's terms, and in the file for a hex viewer.</summary>
    public static InvalidDataException At(CellOffset cell, string problem) =>
        new(cell.IsNone
            ? $"hive cell offset none: {problem}"
            : $"hive cell {cell} (file offset 0x{BaseBlockField.Size + (long)cell.Value:X}): {problem}");
}
