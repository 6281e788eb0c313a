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

    public static Option<bool> AllowUnmountedFormat() => new("--allow-unmounted-format")
    {
        Description = "Let the managed back end write layers for containerd, which Windows is not known to mount: for tests on other systems.",
    };
}
