namespace CimConvert.Formats.Regf;

/// <summary>Orders text by code points, as UTF-8 does; UTF-16 units order the surrogates before U+E000.</summary>
internal static class CodePoints
{
    private const int FirstSurrogate = 0xD800;
    private const int AfterSurrogates = 0xE000;
    private const int AboveAllUnits = 0x10000;

    public static int Compare(string left, string right)
    {
        var same = left.AsSpan().CommonPrefixLength(right);
        return same == left.Length || same == right.Length ? left.Length - right.Length : Rank(left[same]) - Rank(right[same]);
    }

    private static int Rank(char unit) => unit is >= (char)FirstSurrogate and < (char)AfterSurrogates ? unit + AboveAllUnits : unit;
}
