using CimConvert.Containerd.Api;
using Microsoft.Extensions.Logging;

namespace CimConvert.Containerd;

/// <summary>
/// What a tag meant before it moved. Kubelet's garbage collection never takes images that are pinned, so the pins of these are lifted.
/// </summary>
internal sealed class FormerImages(ContainerdClient client)
{
    private readonly ImageRecords _records = new(client);

    /// <summary>
    /// Lifts our pins of images of the same repository that no tag means any more, whoever moved it, and that nobody asked for by digest.
    /// </summary>
    /// <param name="image">What its tag means from now on.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task UnpinAsync(ImageToRegister image, CancellationToken cancellationToken)
    {
        if (image.IsByDigest)
        {
            return;
        }

        var all = await _records.ListAsync(cancellationToken);
        var others = all.Where(record => !image.Names.Contains(record.Name)).ToArray();
        var former = others.Where(record => IsFormer(record, image, others)).ToArray();
        var pinned = others.Except(former).Where(record => ImageRecords.IsPinnedByUs(record) && !NamesOfImage.IsConfig(record)).ToArray();
        var configs = others.Where(record => NamesOfImage.IsConfig(record) && ImageRecords.IsPinnedByUs(record)
            && former.Any(name => IsSame(name, record)) && !pinned.Any(name => IsSame(name, record)));
        foreach (var record in former.Concat(configs))
        {
            client.Logger.LogInformation("{Name}: no tag means it any more, so its pin is lifted", record.Name);
            await _records.UnpinAsync(record, cancellationToken);
        }
    }

    private static bool IsFormer(Image record, ImageToRegister image, Image[] others)
    {
        var repository = NamesOfImage.RepositoryOf(record);
        return ImageRecords.IsPinnedByUs(record)
            && !record.Labels.ContainsKey(ContainerdLabels.ByDigest)
            && !NamesOfImage.IsTag(record)
            && repository == $"{image.Host}/{image.Repository}"
            && !others.Any(tag => NamesOfImage.IsTag(tag) && NamesOfImage.RepositoryOf(tag) == repository && IsSame(tag, record));
    }

    private static bool IsSame(Image one, Image other) => one.Target.Digest == other.Target.Digest;
}
