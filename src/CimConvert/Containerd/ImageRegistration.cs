using Microsoft.Extensions.Logging;

namespace CimConvert.Containerd;

/// <summary>Makes an image known to containerd and its CRI plugin. Calls that write are made only where something differs.</summary>
internal sealed class ImageRegistration(ContainerdClient client)
{
    private readonly ImageRecords _records = new(client);

    /// <summary>Whether the image is there with all its names, documents and layers. Only reads.</summary>
    public async Task<bool> IsRegisteredAsync(ImageToRegister image, CancellationToken cancellationToken) =>
        await image.Snapshotter.HasAsync(image.Top, cancellationToken) && await FindDifferenceAsync(image, cancellationToken) is null;

    /// <returns>Whether anything had to be written.</returns>
    /// <exception cref="ConversionException">The daemon refused, or lost what was written.</exception>
    public async Task<bool> RegisterAsync(ImageToRegister image, CancellationToken cancellationToken)
    {
        // Without its snapshots the image would be listed as present, and no pod would start.
        if (!await image.Snapshotter.HasAsync(image.Top, cancellationToken))
        {
            throw new ConversionException(
                $"the layers of {image.Names[0]} are not in the snapshotter {image.Snapshotter.Name} of containerd at {client.Address}: {image.Top} is missing; run the same command again");
        }

        if (await FindDifferenceAsync(image, cancellationToken) is not { } difference)
        {
            return false;
        }

        client.Logger.LogDebug("registering {Image} with containerd: {Difference}", image.Names[0], difference);
        await WriteDocumentsAsync(image, cancellationToken);

        // Before the tag moves: a run that is killed in between does it again.
        await new FormerImages(client).UnpinAsync(image, cancellationToken);
        foreach (var name in image.Names)
        {
            await _records.PutAsync(name, image, cancellationToken);
        }

        if (!await IsRegisteredAsync(image, cancellationToken))
        {
            throw new ConversionException(
                $"containerd at {client.Address} removed parts of {image.Names[0]} while it was registered; run the same command again");
        }

        return true;
    }

    /// <summary>What of the image is not as it should be; null if all is.</summary>
    private async Task<string?> FindDifferenceAsync(ImageToRegister image, CancellationToken cancellationToken)
    {
        foreach (var name in image.Names)
        {
            if (await _records.GetAsync(name, cancellationToken) is not { } record || ImageRecords.Lacking(record, image) is not [])
            {
                return name;
            }
        }

        foreach (var (document, wanted) in DocumentLabels.Of(image))
        {
            var info = await client.Content.InfoAsync(document.Descriptor.Digest, cancellationToken);
            if (info is null || info.Size != document.Descriptor.Size
                || ContentStore.Lacking(info.Labels, DocumentLabels.Joined(wanted, info.Labels, image)) is not [])
            {
                return document.Descriptor.Digest.ToString();
            }
        }

        return null;
    }

    /// <summary>What is referred to first: at no moment does anything refer to what is not there.</summary>
    private async Task WriteDocumentsAsync(ImageToRegister image, CancellationToken cancellationToken)
    {
        foreach (var (document, wanted) in DocumentLabels.Of(image))
        {
            var there = await client.Content.InfoAsync(document.Descriptor.Digest, cancellationToken);
            var labels = there is null ? wanted : DocumentLabels.Joined(wanted, there.Labels, image);
            await client.Content.PutAsync(document.Descriptor.Digest, document.Bytes, labels, cancellationToken);
        }
    }
}
