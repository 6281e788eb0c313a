using System.CommandLine;
using CimConvert.Containerd;

namespace CimConvert.Cli.Commands;

/// <summary>Options that name a daemon; each command gets its own instance.</summary>
internal static class ContainerdOptions
{
    public static Option<ContainerdAddress> Address() => new("--containerd")
    {
        Description = "Where containerd listens: unix:///PATH, or on Windows npipe:////./pipe/NAME.",
        HelpName = "ADDRESS",
        CustomParser = CommonOptions.Parser(ContainerdAddress.Parse),
        DefaultValueFactory = _ => ContainerdAddress.Default,
    };

    public static Option<string> Namespace() => new("--namespace")
    {
        Description = "containerd's namespace; pods use k8s.io.",
        HelpName = "NS",
        DefaultValueFactory = _ => ContainerdClient.KubernetesNamespace,
    };

    public static Option<string> Snapshotter(string description)
    {
        var option = new Option<string>("--snapshotter") { Description = description, DefaultValueFactory = _ => SnapshotterChoice.Auto };
        option.AcceptOnlyFromAmong(SnapshotterChoice.Auto, SnapshotterChoice.CimFs, SnapshotterChoice.BlockCim);
        return option;
    }

    public static Option<bool> AllowUnmountedFormat(string use = "For") => new("--allow-unmounted-format")
    {
        Description = $"{use} tests on systems other than Windows: permit the managed back end, whose CIMs Windows is not known to mount.",
    };
}
