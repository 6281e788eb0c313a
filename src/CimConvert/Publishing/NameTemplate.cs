using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Publishing;

/// <summary>
/// The reference to push to, or to look for a converted image at. <c>{registry}</c>, <c>{repository}</c> and <c>{tag}</c> stand for those
/// of the source image, so one line under <c>defaults</c> serves a whole list.
/// </summary>
internal sealed record NameTemplate(string Text)
{
    /// <exception cref="InvalidDataException">The result for this image is not a reference with a tag.</exception>
    public ImageReference For(ImageLocation source)
    {
        var text = Text;
        if (text.Contains('{', StringComparison.Ordinal))
        {
            if (source is not ImageLocation.Remote { Reference: { Tag: { } tag } reference })
            {
                throw new InvalidDataException($"'{Printable.Of(Text)}' cannot be filled in for {source}, which has no registry and tag; give the image a name of its own");
            }

            text = text
                .Replace("{registry}", reference.Registry.Replace(':', '-'), StringComparison.Ordinal)
                .Replace("{repository}", reference.Repository, StringComparison.Ordinal)
                .Replace("{tag}", tag, StringComparison.Ordinal);
        }

        var target = ImageReference.Parse(text);
        return target.Digest is null ? target : throw new InvalidDataException($"'{Printable.Of(text)}' has a digest, which no other image has");
    }
}
