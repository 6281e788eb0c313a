using CimConvert.Containerd.Api;
using CimConvert.Oci;

namespace CimConvert.Containerd;

/// <summary>Which records belong together: an image has a name with its tag, one with its digest, and the digest of its config.</summary>
internal static class NamesOfImage
{
    /// <summary>The name of a record, from what users write.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static string Normal(string reference) => Digest.TryParse(reference, out _) ? reference : WithOneKey(ImageReference.Parse(reference));

    /// <summary>
    /// What goes with a record. With a tag: the tag, and the names by digest unless another name still needs them. With a digest: also
    /// the tags of its repository. With the digest of a config: all of the image.
    /// </summary>
    public static IReadOnlyList<Image> Going(IReadOnlyList<Image> all, Image named)
    {
        var same = all.Where(record => record.Target.Digest == named.Target.Digest).ToArray();
        var repository = RepositoryOf(named);
        var going = new HashSet<string>(StringComparer.Ordinal) { named.Name };
        if (!IsTag(named))
        {
            Add(record => repository.Length == 0 || RepositoryOf(record) == repository);
        }

        if (!same.Any(record => Stays(record) && IsTag(record) && RepositoryOf(record) == repository))
        {
            Add(record => RepositoryOf(record) == repository);
        }

        if (!same.Any(record => Stays(record) && RepositoryOf(record).Length > 0))
        {
            Add(record => RepositoryOf(record).Length == 0);
        }

        return [.. same.Where(record => !Stays(record))];

        bool Stays(Image record) => !going.Contains(record.Name);
        void Add(Func<Image, bool> goes) => going.UnionWith(same.Where(PrewarmedImages.IsMarked).Where(goes).Select(record => record.Name));
    }

    /// <summary>Whether the name is the digest of a config.</summary>
    public static bool IsConfig(Image record) => Digest.TryParse(record.Name, out _);

    /// <summary>Whether the name is a repository with a tag.</summary>
    public static bool IsTag(Image record) => RepositoryOf(record).Length > 0 && !record.Name.Contains('@', StringComparison.Ordinal);

    /// <summary>Empty for a name that is the digest of a config.</summary>
    public static string RepositoryOf(Image record)
    {
        if (IsConfig(record))
        {
            return string.Empty;
        }

        var at = record.Name.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            return record.Name[..at];
        }

        var colon = record.Name.LastIndexOf(':');
        return colon > record.Name.LastIndexOf('/') ? record.Name[..colon] : record.Name;
    }

    /// <summary>With both a tag and a digest, the digest says what is meant.</summary>
    private static string WithOneKey(ImageReference reference) => reference.Digest is { } digest
        ? $"{reference.Registry}/{reference.Repository}@{digest}"
        : reference.ToString();
}
