namespace CimConvert.Formats.Regf;

/// <summary>Words the one exception a malformed hive causes.</summary>
internal static class RegfError
{
    public static InvalidDataException Hive(string why) => new($"hive: {why}");

    /// <summary>Names the cell both as the format counts and as an offset into the file, for a hex viewer.</summary>
    public static InvalidDataException At(CellOffset cell, string why) =>
        new(cell.IsNone
            ? $"hive cell offset none: {why}"
            : $"hive cell {cell} (file offset 0x{BaseBlockField.Size + (long)cell.Value:X}): {why}");
}
