namespace CimConvert.Fitness;

/// <summary>The checks by their names (docs/cli.md).</summary>
internal static class CheckNames
{
    public const string Windows = "windows";
    public const string Writer = "writer";
    public const string Containerd = "containerd";
    public const string Snapshotter = "snapshotter";
    public const string Differ = "differ";
    public const string CriSnapshotter = "cri-snapshotter";
    public const string UnpackConfig = "unpack-config";
    public const string DiffService = "diff-service";
    public const string ImageVolumes = "image-volumes";
    public const string Disk = "disk";
    public const string Registry = "registry";
    public const string Clock = "clock";
    public const string Image = "image";
    public const string Login = "login";
}
