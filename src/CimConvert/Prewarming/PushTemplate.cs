using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Prewarming;

/// <summary>
/// Where converted images go: a reference in which <c>{registry}</c>, <c>{repository}</c> and <c>{tag}</c> stand for those of the
/// source, so that one line under <c>defaults</c> serves a whole list.
/// </summary>
internal sealed record PushTemplate(string Text)
{
    /// <exception cref="InvalidDataException">What comes of it for this image is no reference by tag.</exception>
    public ImageReference For(ImageLocation source)
    {
        var text = Text;
        if (text.Contains('{', StringComparison.Ordinal))
        {
            if (source is not ImageLocation.Remote { Reference: { Tag: { } tag } reference })
            {
                throw new InvalidDataException($"'{Printable.Of(Text)}' cannot be filled in for {source}, which has no registry and tag; give the image a 'push' of its own");
            }

            text = text
                .Replace("{registry}", reference.Registry.Replace(':', '-'), StringComparison.Ordinal)
                .Replace("{repository}", reference.Repository, StringComparison.Ordinal)
                .Replace("{tag}", tag, StringComparison.Ordinal);
        }

        var target = ImageReference.Parse(text);
        return target.Digest is null ? target : throw new InvalidDataException($"'{Printable.Of(text)}' has a digest, which only the push itself can tell");
    }
}
