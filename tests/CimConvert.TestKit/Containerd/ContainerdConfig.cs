using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Containerd;

/// <summary>The config.toml of a daemon that touches nothing outside its folder, runs no containers and needs no rights.</summary>
internal static class ContainerdConfig
{
    public static string Write(ContainerdSettings settings, TempFolder files, string socket)
    {
        (string user, string group) = Identity();
        bool second = settings.Version >= ContainerdVersion.V2_1;
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            version = {(second ? 3 : 2)}
            root = "{files.Sub("root")}"
            state = "{files.Sub("state")}"
            disabled_plugins = [{string.Join(", ", Disabled(settings.Version).Select(name => $"\"{name}\""))}]

            [grpc]
            address = "{socket}"
            uid = {user}
            gid = {group}

            [ttrpc]
            address = "{socket}.ttrpc"
            uid = {user}
            gid = {group}

            [plugins."io.containerd.internal.v1.opt"]
            path = "{files["opt"]}"

            """);
        Proxy(text, settings.Snapshotter, "snapshot");
        Proxy(text, settings.Differ, "diff");
        if (settings is { UsesPlugins: true, Differ: { } differ })
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"""
                [plugins."io.containerd.service.v1.diff-service"]
                default = ["{differ.Name}", "walking"]

                """);
        }

        text.AppendLine(second ? Second(settings, files) : First(settings, files));
        return text.ToString();
    }

    /// <summary>Says of each registry that it is asked over plain HTTP, and gives the folder that holds this.</summary>
    public static string WriteRegistries(ContainerdSettings settings, TempFolder files)
    {
        foreach (string host in settings.PlainHttpRegistries)
        {
            files.Write($"certs.d/{host}/hosts.toml", Encoding.UTF8.GetBytes($"""
                server = "http://{host}"

                [host."http://{host}"]
                capabilities = ["pull", "resolve"]

                """));
        }

        return files.Sub("certs.d");
    }

    private static string[] Disabled(ContainerdVersion version) =>
    [
        .. new[] { "btrfs", "zfs", "devmapper", "blockfile", "erofs", "aufs" }.Select(name => "io.containerd.snapshotter.v1." + name),
        .. version >= ContainerdVersion.V2_1 ? new[] { "io.containerd.nri.v1.nri", "io.containerd.differ.v1.erofs" } : [],
    ];

    private static void Proxy(StringBuilder text, (string Name, string Socket)? plugin, string type)
    {
        if (plugin is { } proxy)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"""
                [proxy_plugins.{proxy.Name}]
                type = "{type}"
                address = "{proxy.Socket}"

                """);
        }
    }

    /// <summary>Of 1.6 and 1.7: CRI is one plugin.</summary>
    private static string First(ContainerdSettings settings, TempFolder files) => $"""
        [plugins."io.containerd.grpc.v1.cri"]
        restrict_oom_score_adj = true
        disable_tcp_service = true

        [plugins."io.containerd.grpc.v1.cri".containerd]
        {Snapshotter(settings)}

        [plugins."io.containerd.grpc.v1.cri".cni]
        bin_dir = "{files.Sub("cni", "bin")}"
        conf_dir = "{files.Sub("cni", "conf")}"

        [plugins."io.containerd.grpc.v1.cri".registry]
        config_path = "{WriteRegistries(settings, files)}"
        {(settings.Differ is null ? "" : Unpack(settings))}
        """;

    /// <summary>Of 2.x: CRI is of parts, and its pulls may be the transfer service's, which has to be told what it unpacks with.</summary>
    private static string Second(ContainerdSettings settings, TempFolder files) => $"""
        [plugins."io.containerd.grpc.v1.cri"]
        disable_tcp_service = true

        [plugins."io.containerd.cri.v1.images"]
        {Snapshotter(settings)}
        use_local_image_pull = {(settings.PullsLocally ? "true" : "false")}

        [plugins."io.containerd.cri.v1.images".registry]
        config_path = "{WriteRegistries(settings, files)}"

        [plugins."io.containerd.cri.v1.runtime"]
        restrict_oom_score_adj = true

        [plugins."io.containerd.cri.v1.runtime".cni]
        bin_dirs = ["{files.Sub("cni", "bin")}"]
        conf_dir = "{files.Sub("cni", "conf")}"

        [plugins."io.containerd.transfer.v1.local"]
        config_path = "{WriteRegistries(settings, files)}"
        {Unpack(settings)}
        """;

    private static string Snapshotter(ContainerdSettings settings) =>
        settings is { UsesPlugins: true, Snapshotter: { } snapshotter } ? $"snapshotter = \"{snapshotter.Name}\"" : "";

    private static string Unpack(ContainerdSettings settings) => settings is not { UsesPlugins: true, Snapshotter: { } snapshotter } ? "" : $"""

        [[plugins."io.containerd.transfer.v1.local".unpack_config]]
        platform = "{settings.UnpackPlatform}"
        snapshotter = "{snapshotter.Name}"
        differ = "{settings.Differ?.Name ?? "walking"}"
        """;

    /// <summary>Whom the daemon gives its sockets to: without rights it can give them to nobody else.</summary>
    private static (string User, string Group) Identity()
    {
        string[] status = File.ReadAllLines("/proc/self/status");
        return (Effective("Uid:"), Effective("Gid:"));

        string Effective(string name) => status.Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split('\t')[2];
    }
}
