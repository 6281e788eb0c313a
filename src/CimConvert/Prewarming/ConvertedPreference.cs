namespace CimConvert.Prewarming;

/// <summary>Whether an image that somebody has converted is taken from a registry instead of being converted.</summary>
internal enum ConvertedPreference
{
    /// <summary>Every image is converted here.</summary>
    None,

    /// <summary>It is taken where there is one, else converted.</summary>
    Prefer,

    /// <summary>It is an error where there is none.</summary>
    Only,
}

/// <summary>Reads <c>prefer: converted</c> and <c>only: converted</c>.</summary>
internal static class ConvertedPreferences
{
    private const string Prefer = "prefer";
    private const string Only = "only";

    /// <summary>What an image's own section says, else what <c>defaults</c> say.</summary>
    /// <param name="own">Null if the image has no section.</param>
    /// <param name="defaults">Null if the list has none.</param>
    /// <exception cref="PrewarmListException">A section has both keys, or another value.</exception>
    public static ConvertedPreference Read(YamlSection? own, YamlSection? defaults)
    {
        // Both sections know both keys, whichever counts.
        var (common, special) = (ReadSection(defaults), ReadSection(own));
        return special != ConvertedPreference.None ? special : common;
    }

    private static ConvertedPreference ReadSection(YamlSection? section)
    {
        var (preferred, required) = (section?.Read(Prefer, Parse), section?.Read(Only, Parse));
        return preferred is not null && required is not null ? throw section!.Bad(Only, $"contradicts '{Prefer}'")
            : required is not null ? ConvertedPreference.Only
            : preferred is not null ? ConvertedPreference.Prefer
            : ConvertedPreference.None;
    }

    private static string Parse(string text) => text is "converted"
        ? text
        : throw new InvalidDataException($"'{Printable.Of(text)}' is nothing to choose: the only value is 'converted'");
}
