using CimConvert.Containerd.Api;
using CimConvert.Oci;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Descriptor = CimConvert.Oci.Descriptor;

namespace CimConvert.Containerd;

/// <summary>The daemon's records of images: a name, what it means, and labels.</summary>
internal sealed class ImageRecords(ContainerdClient client)
{
    private const string Target = "target";
    private const string LabelPrefix = "labels.";

    private static readonly string[] s_pin = [ContainerdLabels.Pinned, ContainerdLabels.PinnedByUs];

    private readonly Images.ImagesClient _images = new(client.Calls);

    public async Task<Image?> GetAsync(string name, CancellationToken cancellationToken)
    {
        var request = new GetImageRequest { Name = name };
        var answer = await client.TryCallAsync(
            $"look for the image {name}", StatusCode.NotFound, options => _images.GetAsync(request, options), Deadlines.Quick, cancellationToken);
        return answer?.Image;
    }

    /// <summary>All of the namespace.</summary>
    public async Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken)
    {
        var answer = await client.CallAsync("list its images", options => _images.ListAsync(new ListImagesRequest(), options), Deadlines.Quick, cancellationToken);
        return answer.Images;
    }

    /// <summary>The fields of a record that are not as they should be, as the paths of a mask.</summary>
    public static string[] Lacking(Image record, ImageToRegister image)
    {
        var labels = Wanted(record, image).Labels;
        return
        [
            .. HasTarget(record, image.Target) ? Array.Empty<string>() : [Target],
            .. labels.Where(label => !record.Labels.TryGetValue(label.Key, out var value) || value != label.Value).Select(label => LabelPrefix + label.Key),
            .. image.Pin || !IsPinnedByUs(record) ? [] : s_pin.Where(record.Labels.ContainsKey).Select(label => LabelPrefix + label),
        ];
    }

    public static bool IsPinnedByUs(Image record) => record.Labels.ContainsKey(ContainerdLabels.PinnedByUs);

    /// <summary>Lifts a pin of ours.</summary>
    public Task UnpinAsync(Image record, CancellationToken cancellationToken) => RemoveLabelsAsync(record, s_pin, cancellationToken);

    /// <summary>Makes a record, or gives the one that is there what it lacks.</summary>
    public async Task PutAsync(string name, ImageToRegister image, CancellationToken cancellationToken)
    {
        if (await GetAsync(name, cancellationToken) is null)
        {
            var wanted = Wanted(new Image { Name = name, Labels = { { ContainerdLabels.Prewarmed, ContainerdLabels.Ours } } }, image);
            var create = new CreateImageRequest { Image = wanted };
            if (await client.TryCallAsync(
                $"register {name}", StatusCode.AlreadyExists, options => _images.CreateAsync(create, options), Deadlines.Quick, cancellationToken) is not null)
            {
                return;
            }
        }

        var record = await GetAsync(name, cancellationToken)
            ?? throw new ConversionException($"{name} was removed from containerd at {client.Address} while it was registered; run the same command again");
        if (Lacking(record, image) is { Length: > 0 } paths)
        {
            await UpdateAsync(Wanted(record, image), paths, cancellationToken);
        }
    }

    /// <summary>Removes labels, which is to set them to nothing. Without a target, though it is not to change, daemons crash (seen with 1.7 and 2.1).</summary>
    public Task RemoveLabelsAsync(Image record, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var there = keys.Where(record.Labels.ContainsKey).Select(key => LabelPrefix + key).ToArray();
        return there.Length == 0 ? Task.CompletedTask : UpdateAsync(new Image { Name = record.Name, Target = record.Target }, there, cancellationToken);
    }

    /// <summary>Removes a record, and waits if told so until the garbage collector has run.</summary>
    public Task DeleteAsync(string name, bool sync, CancellationToken cancellationToken) => client.TryCallAsync(
        $"remove {name}",
        StatusCode.NotFound,
        options => _images.DeleteAsync(new DeleteImageRequest { Name = name, Sync = sync }, options),
        Deadlines.Slow,
        cancellationToken);

    /// <summary>
    /// A config's digest may be the name of several indexes that hold the same image. The first one stays: two images in turn would
    /// else change it with every run.
    /// </summary>
    private static bool HasTarget(Image record, Descriptor target) => record.Target is { } there
        && (Digest.TryParse(record.Name, out _)
            || (there.Digest == target.Digest.ToString() && there.Size == target.Size && there.MediaType == target.MediaType));

    /// <summary>A record that a pull made stays that pull's; what was pinned by others, pinned by them.</summary>
    private static Image Wanted(Image record, ImageToRegister image)
    {
        var target = image.Target;
        var wanted = new Image
        {
            Name = record.Name,
            Target = new BlobDescriptor { MediaType = target.MediaType, Digest = target.Digest.ToString(), Size = target.Size },
        };
        wanted.Labels.Add(ContainerdLabels.Managed, ContainerdLabels.ManagedValue);
        wanted.Labels.Add(ContainerdLabels.Prewarmed, record.Labels.TryGetValue(ContainerdLabels.Prewarmed, out var whose) ? whose : ContainerdLabels.Shared);
        if (image.IsByDigest && record.Name == image.Names[0])
        {
            wanted.Labels.Add(ContainerdLabels.ByDigest, ContainerdLabels.Ours);
        }

        if (image.Pin && (IsPinnedByUs(record) || !record.Labels.ContainsKey(ContainerdLabels.Pinned)))
        {
            wanted.Labels.Add(ContainerdLabels.Pinned, ContainerdLabels.PinnedValue);
            wanted.Labels.Add(ContainerdLabels.PinnedByUs, ContainerdLabels.Ours);
        }

        return wanted;
    }

    private async Task UpdateAsync(Image record, string[] paths, CancellationToken cancellationToken)
    {
        var request = new UpdateImageRequest { Image = record, UpdateMask = new FieldMask() };
        request.UpdateMask.Paths.Add(paths);
        await client.CallAsync($"change the record of {record.Name}", options => _images.UpdateAsync(request, options), Deadlines.Quick, cancellationToken);
    }
}
