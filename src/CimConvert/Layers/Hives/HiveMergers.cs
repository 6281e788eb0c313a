using CimConvert.Cims;

namespace CimConvert.Layers.Hives;

/// <summary>Which hive merger goes with which back end.</summary>
public static class HiveMergers
{
    /// <summary>
    /// Windows' own for CIMs of Windows' own writer, where the machine has it. With the managed back end always ours: the same
    /// layers give the same bytes on every system.
    /// </summary>
    public static IHiveMerger For(IImageBackend backend) =>
        backend.Name == ImageBackends.Native && OffRegHiveMerger.IsHere ? new OffRegHiveMerger() : new ManagedHiveMerger();
}
