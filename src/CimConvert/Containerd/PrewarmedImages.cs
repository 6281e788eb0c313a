using CimConvert.Containerd.Api;

namespace CimConvert.Containerd;

/// <summary>An image that this program registered.</summary>
/// <param name="Names">All names of it, tags first.</param>
/// <param name="Target">The digest of its index or manifest.</param>
/// <param name="Pinned">Whether kubelet's garbage collection leaves it alone.</param>
/// <param name="Shared">Whether a pull has made some of its names, which then stay when it is removed.</param>
internal sealed record ContainerdImage(IReadOnlyList<string> Names, string Target, bool Pinned, bool Shared);

/// <summary>Undoes what <see cref="ImageRegistration"/> did, and nothing that others did.</summary>
internal sealed class PrewarmedImages(ContainerdClient client)
{
    private readonly ImageRecords _records = new(client);

    public async Task<IReadOnlyList<ContainerdImage>> ListAsync(CancellationToken cancellationToken)
    {
        await client.CheckDaemonAsync(cancellationToken);
        var all = await _records.ListAsync(cancellationToken);
        return
        [
            .. from record in all
               group record by record.Target.Digest into image
               where image.Any(IsMarked)
               let names = image.Select(record => record.Name).Order(NameOrder.Instance).ToArray()
               orderby names[0]
               select new ContainerdImage(names, image.Key, image.Any(IsPinned), image.Any(record => !IsOurs(record, all))),
        ];
    }

    /// <summary>
    /// Removes an image's names, found by one as pods write it or by its config's digest, and with them what nothing else refers to: the daemon's garbage collector has run when this returns.
    /// Names that a pull made stay, and lose only what was added to them.
    /// </summary>
    /// <returns>The names that went.</returns>
    /// <exception cref="ConversionException">No such image was prewarmed.</exception>
    public async Task<IReadOnlyList<string>> RemoveAsync(string reference, CancellationToken cancellationToken)
    {
        await client.CheckDaemonAsync(cancellationToken);
        var all = await _records.ListAsync(cancellationToken);
        var going = NamesOfImage.Going(all, Find(all, reference));
        foreach (var record in going.Where(record => !IsOurs(record, all)))
        {
            await _records.RemoveLabelsAsync(record, LabelsOf(record), cancellationToken);
        }

        // Only the last removal waits for the collector: one run of it is enough for all.
        string[] ours = [.. going.Where(record => IsOurs(record, all)).Select(record => record.Name).Order(NameOrder.Instance)];
        for (var i = 0; i < ours.Length; i++)
        {
            await _records.DeleteAsync(ours[i], sync: i == ours.Length - 1, cancellationToken);
        }

        return ours;
    }

    /// <summary>Lets kubelet's garbage collection take the image again. What others pinned stays pinned.</summary>
    /// <returns>The names that were pinned.</returns>
    /// <exception cref="ConversionException">No such image was prewarmed.</exception>
    public async Task<IReadOnlyList<string>> UnpinAsync(string reference, CancellationToken cancellationToken)
    {
        await client.CheckDaemonAsync(cancellationToken);
        var all = await _records.ListAsync(cancellationToken);
        var found = Find(all, reference);
        var pinned = all.Where(record => IsMarked(record) && record.Target.Digest == found.Target.Digest && ImageRecords.IsPinnedByUs(record))
            .OrderBy(record => record.Name, NameOrder.Instance)
            .ToArray();
        foreach (var record in pinned)
        {
            await _records.UnpinAsync(record, cancellationToken);
        }

        return [.. pinned.Select(record => record.Name)];
    }

    internal static bool IsMarked(Image record) => record.Labels.ContainsKey(ContainerdLabels.Prewarmed);

    /// <summary>
    /// Kubelet's pulls, with the policy Always, set the labels of a tag anew. The record of the config, which pulls leave alone, says
    /// whose the image was before.
    /// </summary>
    private static bool IsOurs(Image record, IReadOnlyList<Image> all) => IsMarked(record)
        ? record.Labels[ContainerdLabels.Prewarmed] == ContainerdLabels.Ours
        : all.Any(other => NamesOfImage.IsConfig(other) && other.Target.Digest == record.Target.Digest && IsMarked(other) && IsOurs(other, all));

    private static bool IsPinned(Image record) => record.Labels.ContainsKey(ContainerdLabels.Pinned);

    private static IEnumerable<string> LabelsOf(Image record) => ImageRecords.IsPinnedByUs(record)
        ? [ContainerdLabels.Prewarmed, ContainerdLabels.ByDigest, ContainerdLabels.PinnedByUs, ContainerdLabels.Pinned]
        : [ContainerdLabels.Prewarmed, ContainerdLabels.ByDigest];

    private Image Find(IReadOnlyList<Image> all, string reference)
    {
        var name = NamesOfImage.Normal(reference);
        return all.FirstOrDefault(record => record.Name == name && all.Any(other => IsMarked(other) && other.Target.Digest == record.Target.Digest))
            ?? throw new ConversionException(
                $"no image '{Printable.Of(name)}' was prewarmed into the namespace '{client.Namespace}' of containerd at {client.Address}; 'cimconvert containerd list' names those that were");
    }
}
