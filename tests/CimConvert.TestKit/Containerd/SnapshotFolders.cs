using System.Text.Json;
using CimConvert.Containerd.Api;
using Grpc.Core;

namespace CimConvert.TestKit.Containerd;

/// <summary>Where a Windows snapshotter has a snapshot's files, and the mounts that say so (containerd: plugins/snapshots/windows).</summary>
internal sealed class SnapshotFolders
{
    private const string Scratch = "sandbox.vhdx";
    private const string Merged = "merged.vhd";

    private readonly SnapshotterOptions options;
    private readonly string root;

    public SnapshotFolders(string folder, SnapshotterOptions settings)
    {
        root = folder;
        options = settings;
        Directory.CreateDirectory(Path.Combine(root, "snapshots"));
        File.WriteAllText(Path.Combine(root, "blank.vhdx"), "a scratch disk");
        if (options.Mode == SnapshotterMode.Cimfs)
        {
            Directory.CreateDirectory(CimFolder);
        }
    }

    private string CimFolder => Path.Combine(root, "snapshots", "cim-layers");

    public string FolderOf(string id) => Path.Combine(root, "snapshots", id);

    /// <summary>The layer's CIM file, or block file.</summary>
    public string LayerFileOf(string id) =>
        options.Mode == SnapshotterMode.Cimfs ? Path.Combine(CimFolder, id + ".cim") : Path.Combine(FolderOf(id), "layer.vhd");

    public void Make(string id) => Directory.CreateDirectory(FolderOf(id));

    public void MakeScratch(string id) => File.Copy(Path.Combine(root, "blank.vhdx"), Path.Combine(FolderOf(id), Scratch));

    /// <summary>Merges layers, nearest first, where nobody has.</summary>
    /// <returns>Whether somebody had: nothing but the file's name is looked at.</returns>
    public bool Merge(IReadOnlyList<StandInSnapshot> layers)
    {
        string merged = Path.Combine(FolderOf(layers[0].Id), Merged);
        if (File.Exists(merged))
        {
            return true;
        }

        string? missing = layers.Select(layer => LayerFileOf(layer.Id)).FirstOrDefault(file => !File.Exists(file));
        if (missing is not null)
        {
            throw SnapshotStore.Error(StatusCode.Unknown, "failed to prepare merged CIM: no file " + missing);
        }

        File.WriteAllText(merged, "merged by the stand-in");
        return false;
    }

    /// <summary>Bytes and files of a folder and, of a committed forked layer, of its CIM.</summary>
    public (long Size, long Files) Measure(StandInSnapshot snapshot)
    {
        FileInfo[] files = new DirectoryInfo(FolderOf(snapshot.Id)) is { Exists: true } folder ? folder.GetFiles("*", SearchOption.AllDirectories) : [];
        bool committed = snapshot.Kind == StandInKind.Committed;
        long cim = committed && options.Mode == SnapshotterMode.Cimfs ? CimFilesOf(snapshot.Id).Sum(file => new FileInfo(file).Length) : 0;
        return ((committed ? snapshot.Size : files.Sum(file => file.Length)) + cim, files.Length);
    }

    /// <summary>Deletes a snapshot's files under another name first: a folder under its own name is whole.</summary>
    public void Remove(string id)
    {
        string renamed = FolderOf("rm-" + id);
        if (Directory.Exists(FolderOf(id)))
        {
            Directory.Move(FolderOf(id), renamed);
        }

        if (options.Mode == SnapshotterMode.Cimfs)
        {
            foreach (string file in CimFilesOf(id))
            {
                File.Delete(file);
            }
        }

        if (Directory.Exists(renamed))
        {
            Directory.Delete(renamed, recursive: true);
        }
    }

    public Mount MountOf(StandInSnapshot snapshot, IReadOnlyList<StandInSnapshot> parents) =>
        options.Mode == SnapshotterMode.Cimfs ? Forked(snapshot, parents) : Block(snapshot, parents);

    private string Json(IEnumerable<string> paths) => JsonSerializer.Serialize(paths.Select(options.PathInMounts));

    private Mount Forked(StandInSnapshot snapshot, IReadOnlyList<StandInSnapshot> parents)
    {
        Mount mount = new() { Type = "CimFS", Source = options.PathInMounts(FolderOf(snapshot.Id)) };
        mount.Options.Add(snapshot.Kind == StandInKind.View ? "ro" : "rw");
        mount.Options.Add("cimpath=" + options.PathInMounts(LayerFileOf(snapshot.Id)));
        if (parents.Count > 0)
        {
            mount.Options.Add("parentLayerPaths=" + Json(parents.Select(parent => FolderOf(parent.Id))));
            mount.Options.Add("parentCimPaths=" + Json(parents.Select(parent => LayerFileOf(parent.Id))));
        }

        return mount;
    }

    private Mount Block(StandInSnapshot snapshot, IReadOnlyList<StandInSnapshot> parents)
    {
        Mount mount = new() { Type = "BlockCIM" };
        mount.Options.Add("parentCimPaths=" + Json(parents.Select(parent => Path.Combine(LayerFileOf(parent.Id), "layer.cim"))));
        mount.Options.Add("blockCIMType=file");
        if (options.LayerIntegrity)
        {
            mount.Options.Add("enable_layer_integrity");
        }

        if (options.VhdFooter)
        {
            mount.Options.Add("append_vhd_footer");
        }

        // What a folder is shows in what lies in it, and nowhere else.
        if (!File.Exists(Path.Combine(FolderOf(snapshot.Id), Scratch)))
        {
            mount.Source = options.PathInMounts(Path.Combine(LayerFileOf(snapshot.Id), "layer.cim"));
            return mount;
        }

        mount.Source = options.PathInMounts(FolderOf(snapshot.Id));
        if (parents.Count > 1)
        {
            mount.Options.Add("mergedCIMPath=" + options.PathInMounts(Path.Combine(FolderOf(parents[0].Id), Merged, "merged.cim")));
        }

        return mount;
    }

    /// <summary>A CIM's own files. A fork's header names its own set of region files at byte 32, and then those it shares.</summary>
    private IEnumerable<string> CimFilesOf(string id)
    {
        const int SetAt = 32;
        const int GuidLength = 16;
        string cim = LayerFileOf(id);
        if (!File.Exists(cim))
        {
            return [];
        }

        Span<byte> header = stackalloc byte[SetAt + GuidLength];
        using FileStream file = File.OpenRead(cim);
        return file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            ? [cim]
            : [cim, .. Directory.EnumerateFiles(CimFolder, $"*_{new Guid(header[SetAt..]):D}_*")];
    }
}
