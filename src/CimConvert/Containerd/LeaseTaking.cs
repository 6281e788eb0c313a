using System.Globalization;
using CimConvert.Containerd.Api;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>Takes a lease, also over from a killed run.</summary>
internal sealed class LeaseTaking(ContainerdClient client, TimeProvider clock)
{
    private readonly Leases.LeasesClient _leases = new(client.Calls);

    /// <summary>
    /// A lease cannot be prolonged. One of a killed run that has little time left is therefore replaced by one beside it, which
    /// takes over all it holds.
    /// </summary>
    /// <returns>The lease's name, and whether it or the one that it replaces was there.</returns>
    public async Task<(string Id, bool IsInherited)> TakeAsync(string id, TimeSpan expiry, CancellationToken cancellationToken)
    {
        var names = NamesOf(id);
        var there = await ListAsync(names, cancellationToken);
        if (there.Length > 1)
        {
            // A run was killed while the newer one took over what the older one held.
            Array.Sort(there, (a, b) => TimeLeft(b).CompareTo(TimeLeft(a)));
            await MoveAsync(there[1].Id, there[0].Id, cancellationToken);
            there = there[..1];
        }

        if (there is [var only] && TimeLeft(only) > expiry / 2)
        {
            return (only.Id, true);
        }

        var free = Array.Find(names, name => there.All(lease => lease.Id != name))!;

        var request = new CreateRequest { Id = free };
        request.Labels.Add(ContainerdLabels.Expire, Rfc3339(clock.GetUtcNow() + expiry));
        await client.TryCallAsync("make a lease", StatusCode.AlreadyExists, options => _leases.CreateAsync(request, options), Deadlines.Quick, cancellationToken);
        foreach (var stale in there)
        {
            await MoveAsync(stale.Id, free, cancellationToken);
        }

        return (free, there.Length > 0);
    }

    /// <summary>Whether there is such a lease, or one that replaced it.</summary>
    public async Task<bool> IsThereAsync(string id, CancellationToken cancellationToken) => (await ListAsync(NamesOf(id), cancellationToken)).Length > 0;

    public static Task DeleteAsync(ContainerdClient client, string id, bool sync, CancellationToken cancellationToken) => client.TryCallAsync(
        "delete a lease",
        StatusCode.NotFound,
        options => new Leases.LeasesClient(client.Calls).DeleteAsync(new DeleteRequest { Id = id, Sync = sync }, options),
        Deadlines.Slow,
        cancellationToken);

    public static Task AddAsync(ContainerdClient client, string id, Resource resource, CancellationToken cancellationToken) => client.CallAsync(
        "add to a lease",
        options => new Leases.LeasesClient(client.Calls).AddResourceAsync(new AddResourceRequest { Id = id, Resource = resource }, options),
        Deadlines.Quick,
        cancellationToken);

    private static string[] NamesOf(string id) => [id, id + ".next"];

    private static string Rfc3339(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private async Task<Lease[]> ListAsync(string[] names, CancellationToken cancellationToken)
    {
        var request = new ListRequest();
        request.Filters.Add(names.Select(name => $"id==\"{name}\""));
        var answer = await client.CallAsync("list its leases", options => _leases.ListAsync(request, options), Deadlines.Quick, cancellationToken);

        // The names again: a daemon that does not know the filter lists them all.
        return [.. answer.Leases.Where(lease => names.Contains(lease.Id))];
    }

    private async Task MoveAsync(string from, string to, CancellationToken cancellationToken)
    {
        var held = await client.CallAsync(
            "list what a lease holds", options => _leases.ListResourcesAsync(new ListResourcesRequest { Id = from }, options), Deadlines.Quick, cancellationToken);
        foreach (var resource in held.Resources)
        {
            await AddAsync(client, to, resource, cancellationToken);
        }

        await DeleteAsync(client, from, sync: false, cancellationToken);
    }

    /// <summary>A lease without an end has all time.</summary>
    private TimeSpan TimeLeft(Lease lease)
    {
        if (!lease.Labels.TryGetValue(ContainerdLabels.Expire, out var text))
        {
            return TimeSpan.MaxValue;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var end) ? end - clock.GetUtcNow() : TimeSpan.Zero;
    }
}
