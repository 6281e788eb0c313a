namespace CimConvert.Formats.Regf;

/// <summary>How a key of a differencing hive merges with the key of the same path in the hive below (FORMAT.md, "Layered keys").</summary>
internal enum LayerSemantics : byte
{
    /// <summary>Its values and subkeys are merged with those below.</summary>
    Merge = 0,

    /// <summary>Removes the key below and its whole subtree.</summary>
    Tombstone = 1,

    /// <summary>Replaces the values and class name of the key below; subkeys still merge.</summary>
    SupersedeLocal = 2,

    /// <summary>Replaces the key below and its whole subtree.</summary>
    SupersedeTree = 3,
}
