using CimConvert.TestKit.Containerd.Cri;
using Grpc.Core;
using Grpc.Net.Client;

namespace CimConvert.TestKit.Containerd;

/// <summary>An image as the kubelet sees it.</summary>
public sealed record CriImage(string Id, IReadOnlyList<string> RepoTags, IReadOnlyList<string> RepoDigests, long Size, bool Pinned);

/// <summary>What the kubelet asks about images (CRI version 1), as it asks it. Errors are <see cref="RpcException"/>.</summary>
public sealed class CriClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly GrpcChannel channel;
    private readonly ImageService.ImageServiceClient images;

    public CriClient(string socket)
    {
        channel = UnixSocket.OpenChannel(socket);
        images = new ImageService.ImageServiceClient(channel);
    }

    private static DateTime Deadline => TimeProvider.System.GetUtcNow().UtcDateTime + Patience;

    /// <summary>Pulls, and gives the image's ID, which is its config's digest.</summary>
    public async Task<string> PullImageAsync(string reference, CancellationToken cancel = default)
    {
        PullImageRequest request = new() { Image = Spec(reference) };
        return (await images.PullImageAsync(request, deadline: Deadline, cancellationToken: cancel).ConfigureAwait(false)).ImageRef;
    }

    /// <summary>The image of this name, digest or ID; null where the kubelet would pull.</summary>
    public async Task<CriImage?> ImageStatusAsync(string reference)
    {
        ImageStatusRequest request = new() { Image = Spec(reference) };
        return (await images.ImageStatusAsync(request, deadline: Deadline).ConfigureAwait(false)).Image is { } image ? Read(image) : null;
    }

    /// <summary>Asks until the image is there or, with <paramref name="present"/> false, is not: CRI learns of others' images by events.</summary>
    public async Task<CriImage?> WaitForImageAsync(string reference, bool present = true)
    {
        using CancellationTokenSource late = new(Patience);
        while (true)
        {
            CriImage? image = await ImageStatusAsync(reference).ConfigureAwait(false);
            if (image is not null == present)
            {
                return image;
            }

            await Task.Delay(20, late.Token).ConfigureAwait(false);
        }
    }

    public async Task<IReadOnlyList<CriImage>> ListImagesAsync() =>
        [.. (await images.ListImagesAsync(new ListImagesRequest(), deadline: Deadline).ConfigureAwait(false)).Images.Select(Read)];

    /// <summary>Removes all names of the image, as the kubelet's collection of unused images does.</summary>
    public async Task RemoveImageAsync(string reference)
    {
        RemoveImageRequest request = new() { Image = Spec(reference) };
        await images.RemoveImageAsync(request, deadline: Deadline).ConfigureAwait(false);
    }

    public void Dispose() => channel.Dispose();

    private static ImageSpec Spec(string reference) => new() { Image = reference };

    private static CriImage Read(Image image) => new(image.Id, [.. image.RepoTags], [.. image.RepoDigests], (long)image.Size, image.Pinned);
}
