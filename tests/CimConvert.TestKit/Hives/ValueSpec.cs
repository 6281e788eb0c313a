using System.Text;

namespace CimConvert.TestKit.Hives;

/// <summary>A value to be written into a hive.</summary>
public sealed record ValueSpec(string Name, uint Type, byte[] Data)
{
    public bool IsTombstone { get; init; }

    /// <summary>Stores the name in UTF-16 even where Latin-1 would do.</summary>
    public bool WideName { get; init; }

    /// <summary>Keeps data of any size in one cell, as version 1.3 and hivex do.</summary>
    public bool InOneCell { get; init; }

    public static ValueSpec Tombstone(string name) => new(name, 0, []) { IsTombstone = true };

    public static ValueSpec Text(string name, string text) => new(name, 1, Encoding.Unicode.GetBytes(text + '\0'));
}
