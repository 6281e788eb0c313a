using System.Diagnostics.CodeAnalysis;

namespace CimConvert.Containerd;

/// <summary>What the layers of a snapshotter are.</summary>
internal enum MountKind
{
    /// <summary>Forked standard CIMs: the snapshotter cimfs.</summary>
    CimFs,

    /// <summary>A block file each: the snapshotter blockcim.</summary>
    BlockCim,
}

/// <summary>A CIM that a mount names.</summary>
/// <param name="Path">The <c>.cim</c> file; of a block CIM its block file.</param>
/// <param name="Name">The name of the <c>.cim</c>, in its directory or in the block file.</param>
internal sealed record SnapshotCim(string Path, string Name);

/// <summary>Where a snapshotter wants a layer to be, and what lies below it: what its mount says. Paths are those of the daemon's system.</summary>
internal sealed record SnapshotMount
{
    /// <summary>Layers below one: more than Windows supports, and than an image may have.</summary>
    public const int MaxParents = 500;

    /// <summary>Characters of an option; <see cref="MaxParents"/> of the longest usual paths fit.</summary>
    public const int MaxOption = 1 << 20;

    private const string ReadOnly = "ro";

    public required MountKind Kind { get; init; }

    /// <summary>The snapshot's own folder: the hives of a layer, the disk of a container.</summary>
    public required string Folder { get; init; }

    /// <summary>The <c>.cim</c> file to write, or the block file; null for a container's snapshot over block CIMs.</summary>
    public string? CimPath { get; init; }

    /// <summary>The name of the CIM in its directory or block file.</summary>
    public string? CimName { get; init; }

    /// <summary>The snapshots' folders below, nearest first.</summary>
    public required IReadOnlyList<string> ParentFolders { get; init; }

    /// <summary>The CIMs below, nearest first.</summary>
    public required IReadOnlyList<SnapshotCim> ParentCims { get; init; }

    /// <summary>Block files are to be sealed.</summary>
    public bool LayerIntegrity { get; init; }

    /// <summary>Block files are to end with a VHD footer.</summary>
    public bool VhdFooter { get; init; }

    /// <summary>Whether this is a place to write a layer to.</summary>
    [MemberNotNullWhen(true, nameof(CimPath), nameof(CimName))]
    public bool IsLayer => CimPath is not null;

    /// <summary>Whether a mount is of one of the two snapshotters.</summary>
    public static bool IsKnown(Api.Mount mount) => mount.Type is MountParser.CimFsType or MountParser.BlockCimType;

    /// <summary>Reads the mount of a place to write a layer to.</summary>
    /// <exception cref="InvalidDataException">There is not one mount, or no layer can be written there.</exception>
    public static SnapshotMount ParseLayer(IReadOnlyList<Api.Mount> mounts)
    {
        var mount = ParseOnly(mounts);
        if (mounts[0].Options.Contains(ReadOnly))
        {
            throw new InvalidDataException($"a {mounts[0].Type} mount is read-only, and no place for a layer");
        }

        return mount.IsLayer ? mount : throw new InvalidDataException($"a {mounts[0].Type} mount is of a container, and no place for a layer");
    }

    /// <exception cref="InvalidDataException">The mount is not of this kind, or says something that cannot be.</exception>
    public static SnapshotMount Parse(Api.Mount mount) => MountParser.Parse(mount);

    /// <summary>Reads the mount of a snapshot: both snapshotters answer with one.</summary>
    /// <exception cref="InvalidDataException">There is not one mount, or it is not of this kind.</exception>
    public static SnapshotMount ParseOnly(IReadOnlyList<Api.Mount> mounts) => mounts.Count == 1
        ? Parse(mounts[0])
        : throw new InvalidDataException($"a snapshot has {mounts.Count} mounts where one belongs");
}
