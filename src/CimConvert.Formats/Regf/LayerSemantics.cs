namespace CimConvert.Formats.Regf;

/// <summary>How a key of a differencing hive joins the key of the same path in the hive below (FORMAT.md, "Layered keys").</summary>
internal enum LayerSemantics : byte
{
    /// <summary>Its values and subkeys are laid over those below.</summary>
    Merge = 0,

    /// <summary>The key below, and all under it, is gone.</summary>
    Tombstone = 1,

    /// <summary>Values and class below are hidden; subkeys still merge.</summary>
    SupersedeLocal = 2,

    /// <summary>The key below is hidden with all under it.</summary>
    SupersedeTree = 3,
}
