namespace CimConvert.Containerd;

/// <summary>How long a call may take.</summary>
internal static class Deadlines
{
    /// <summary>What only reads or writes the daemon's database.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(30);

    /// <summary>
    /// What touches files: scratch disks are copied, CIMs merged, folders counted and removed. New snapshots also wait for the garbage
    /// collector while that removes others.
    /// </summary>
    public static readonly TimeSpan Slow = TimeSpan.FromMinutes(10);

    /// <summary>How long a stream of content may be silent.</summary>
    public static readonly TimeSpan Stall = TimeSpan.FromMinutes(1);
}
