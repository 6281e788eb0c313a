namespace CimConvert.Containerd;

/// <summary>A lease that a client holds.</summary>
internal sealed class ContainerdLease(ContainerdClient client, string id, bool isInherited)
{
    public string Id => id;

    /// <summary>Whether it was there before: the run that made it was killed, or stopped.</summary>
    public bool IsInherited => isInherited;

    /// <summary>Ends the lease. The daemon's garbage collector has run when this returns: what nothing refers to is gone.</summary>
    public async Task DropAsync(CancellationToken cancellationToken)
    {
        client.ForgetLease();
        await LeaseTaking.DeleteAsync(client, id, sync: true, cancellationToken);
    }
}
