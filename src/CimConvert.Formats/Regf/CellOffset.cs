namespace CimConvert.Formats.Regf;

/// <summary>Where a cell starts, counted as the format counts: from the first hive bin, not from the start of the file.</summary>
internal readonly record struct CellOffset(uint Value)
{
    public static CellOffset None => new(uint.MaxValue);

    public bool IsNone => Value == uint.MaxValue;

    public override string ToString() => IsNone ? "none" : $"0x{Value:X8}";
}
