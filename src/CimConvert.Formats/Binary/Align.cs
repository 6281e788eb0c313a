namespace CimConvert.Formats.Binary;

/// <summary>Rounding to powers of two.</summary>
internal static class Align
{
    /// <summary>The smallest multiple of <paramref name="alignment"/> (a power of two) not below <paramref name="value"/>.</summary>
    public static long Up(long value, int alignment) => checked(value + alignment - 1) & -(long)alignment;
}
