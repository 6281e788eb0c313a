using CimConvert.Publishing;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Sources;

namespace CimConvert.Prewarming;

/// <summary>
/// Checks where the images of a list are to be pushed, all of them before the first push: one wrong pattern would otherwise destroy image
/// after image.
/// </summary>
internal static class PushTargets
{
    /// <summary>Requests at once.</summary>
    private const int Parallel = 8;

    /// <exception cref="ConversionException">A tag is that of a source, that of two images, or stands for something else.</exception>
    public static async Task CheckAsync(PrewarmList list, RegistryClient registry, CancellationToken cancellationToken)
    {
        var pushes = list.Images.Where(image => image.Push is not null).ToArray();
        if (list.PushSettings.IsForced || pushes.Length == 0)
        {
            return;
        }

        var sources = list.Images.Select(image => (image.Location as ImageLocation.Remote)?.Reference.ToString()).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var image in pushes)
        {
            if (sources.Contains(image.Push!.ToString()))
            {
                throw new ConversionException($"{image.Location} is to be pushed to {image.Push}, which is an image of the list itself: nothing is pushed; use another tag, or --force");
            }
        }

        if (pushes.GroupBy(image => image.Push!.ToString(), StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ConversionException($"{string.Join(" and ", twice.Select(image => image.Location))} are all to be pushed to {twice.Key}: nothing is pushed");
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(pushes, parallel, async (image, token) =>
        {
            try
            {
                var target = await list.PushSettings.ToAsync(registry, image.Push!, token);
                await new PushGuard(target.Target, isForced: false).CheckAsync(token);
            }
            catch (RegistryException)
            {
                // What the registry does not answer now fails that image alone, when it is pushed.
            }
        });
    }
}
