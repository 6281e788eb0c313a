using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>
/// Where an image is, as users write it: an image reference, <c>oci:DIR[:NAME]</c> or <c>docker-archive:FILE[:NAME]</c>, by the
/// rules of containers-transports(5). A repository named <c>oci</c> must be written with its registry.
/// </summary>
internal abstract record ImageLocation
{
    private const string OciPrefix = "oci:";
    private const string ArchivePrefix = "docker-archive:";

    private ImageLocation()
    {
    }

    /// <exception cref="InvalidDataException">The text has none of these forms.</exception>
    public static ImageLocation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(OciPrefix, StringComparison.Ordinal))
        {
            var (folder, name) = Split(text, OciPrefix, "folder of an OCI image layout");
            return new Layout(folder, name);
        }

        if (text.StartsWith(ArchivePrefix, StringComparison.Ordinal))
        {
            var (file, name) = Split(text, ArchivePrefix, "file that 'docker save' wrote");
            return new Archive(file, name);
        }

        return new Remote(ImageReference.Parse(text));
    }

    /// <summary>Creates the source to read the image from.</summary>
    /// <param name="registry">Used for images in registries only.</param>
    public abstract IImageSource Open(RegistryClient registry);

    /// <summary>Splits at the first colon, except for that after a Windows drive letter.</summary>
    private static (string Path, string? Name) Split(string text, string prefix, string what)
    {
        var rest = text[prefix.Length..];
        var hasDrive = rest.Length > 2 && char.IsAsciiLetter(rest[0]) && rest[1] == ':' && rest[2] is '\\' or '/';
        var colon = rest.IndexOf(':', hasDrive ? 2 : 0);
        var (path, name) = colon < 0 ? (rest, null) : (rest[..colon], rest[(colon + 1)..]);
        return path.Length == 0 || name?.Length == 0
            ? throw new InvalidDataException($"'{Printable.Of(text)}' is not of the form {prefix}PATH[:NAME], where PATH is the {what}")
            : (path, name);
    }

    /// <summary>In a registry.</summary>
    public sealed record Remote(ImageReference Reference) : ImageLocation
    {
        public override IImageSource Open(RegistryClient registry) => new RegistrySource(registry, Reference);

        public override string ToString() => Reference.ToString();
    }

    /// <summary>In an OCI image layout on disk.</summary>
    /// <param name="Folder">The layout's folder.</param>
    /// <param name="ImageName">Which of its images; null for the only one.</param>
    public sealed record Layout(string Folder, string? ImageName) : ImageLocation
    {
        public override IImageSource Open(RegistryClient registry) => new OciLayoutSource(this);

        public override string ToString() => Text(OciPrefix, Folder, ImageName);
    }

    /// <summary>In a file that <c>docker save</c> wrote.</summary>
    /// <param name="File">An uncompressed tar.</param>
    /// <param name="ImageName">Which of its images; null for the only one.</param>
    public sealed record Archive(string File, string? ImageName) : ImageLocation
    {
        public override IImageSource Open(RegistryClient registry) => new DockerArchiveSource(this);

        public override string ToString() => Text(ArchivePrefix, File, ImageName);
    }

    private static string Text(string prefix, string path, string? name) => name is null ? prefix + path : $"{prefix}{path}:{name}";
}
