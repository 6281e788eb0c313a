namespace CimConvert.Formats.Regf;

/// <summary>Orders strings by code point. An order of UTF-16 units would put supplementary characters (surrogates) before U+E000.</summary>
internal static class CodePoints
{
    private const int FirstSurrogate = 0xD800;
    private const int AfterSurrogates = 0xE000;
    private const int AboveAllUnits = 0x10000;

    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        return common == left.Length || common == right.Length ? left.Length - right.Length : Rank(left[common]) - Rank(right[common]);
    }

    private static int Rank(char unit) => unit is >= (char)FirstSurrogate and < (char)AfterSurrogates ? unit + AboveAllUnits : unit;
}
