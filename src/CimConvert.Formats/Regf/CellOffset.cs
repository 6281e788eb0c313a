namespace CimConvert.Formats.Regf;

/// <summary>Offset of a cell from the start of the first hive bin, not of the file, as in the format.</summary>
internal readonly record struct CellOffset(uint Value)
{
    public static CellOffset None => new(uint.MaxValue);

    public bool IsNone => Value == uint.MaxValue;

    public override string ToString() => IsNone ? "none" : $"0x{Value:X8}";
}
