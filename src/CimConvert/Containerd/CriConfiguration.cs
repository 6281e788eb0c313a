using System.Text.Json;
using CimConvert.Containerd.Cri;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>
/// What the running daemon's CRI plugin says it is configured with, which the file on disk may not say any more. Status tells most of it,
/// as JSON of the plugin's own configuration; since containerd 2.0 that is without the snapshotter, which the path in ImageFsInfo names.
/// </summary>
/// <param name="Snapshotter">What pods of the default runtime use; null where the daemon does not tell.</param>
/// <param name="Runtime">The default runtime, if it has a snapshotter of its own.</param>
/// <param name="IgnoresImageVolumes"><c>ignore_image_defined_volumes</c>; null where the daemon does not tell.</param>
/// <param name="ImageFolders">The snapshotters' folders on this machine.</param>
internal sealed record CriConfiguration(string? Snapshotter, string? Runtime, bool? IgnoresImageVolumes, IReadOnlyList<string> ImageFolders)
{
    /// <summary>The prefix of a snapshotter's folder in the daemon's root.</summary>
    private const string FolderPrefix = ContainerdPlugin.SnapshotterType + ".";

    /// <returns>Null if the daemon has no CRI plugin, or it did not load.</returns>
    /// <exception cref="ConversionException">It does not answer.</exception>
    public static async Task<CriConfiguration?> ReadAsync(
        ContainerdClient client, IReadOnlyList<ContainerdPlugin> plugins, CancellationToken cancellationToken)
    {
        var runtime = new RuntimeService.RuntimeServiceClient(client.Calls);
        var images = new ImageService.ImageServiceClient(client.Calls);
        var status = await client.TryCallAsync(
            "tell CRI's status",
            StatusCode.Unimplemented,
            options => runtime.StatusAsync(new StatusRequest { Verbose = true }, options),
            Deadlines.Quick,
            cancellationToken);
        if (status is null)
        {
            return null;
        }

        var folders = await client.TryCallAsync(
            "tell where CRI has its images",
            StatusCode.Unimplemented,
            options => images.ImageFsInfoAsync(new ImageFsInfoRequest(), options),
            Deadlines.Quick,
            cancellationToken);
        return Of(
            status.Info.GetValueOrDefault("config"), [.. folders?.ImageFilesystems.Select(each => each.FsId?.Mountpoint ?? string.Empty) ?? []], plugins);
    }

    /// <param name="config">The plugin's configuration as JSON; null if it was not told.</param>
    /// <param name="folders">The snapshotters' folders.</param>
    /// <param name="plugins">All plugins, which may say whose folder it is.</param>
    internal static CriConfiguration Of(string? config, IReadOnlyList<string> folders, IReadOnlyList<ContainerdPlugin> plugins)
    {
        using var document = Parse(config);
        var root = document?.RootElement;
        var containerd = Get(root, "containerd");
        var runtimes = Get(containerd, "runtimes");
        var runtime = Text(Get(containerd, "defaultRuntimeName"));
        bool? ignoresVolumes = Get(root, "ignoreImageDefinedVolumes")?.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };
        if (runtime is not null && Text(Get(Get(runtimes, runtime), "snapshotter")) is { } ofRuntime)
        {
            return new CriConfiguration(ofRuntime, runtime, ignoresVolumes, folders);
        }

        // The folders are those of all runtimes: what no runtime has for itself is what the others use.
        var ofRuntimes = runtimes is { ValueKind: JsonValueKind.Object } all
            ? all.EnumerateObject().Select(each => Text(Get(each.Value, "snapshotter"))).ToArray()
            : [];
        var names = folders.Select(folder => NameOf(folder, plugins)).OfType<string>().Distinct().ToArray();
        var others = names.Except(ofRuntimes).ToArray();
        var snapshotter = Text(Get(containerd, "snapshotter")) ?? (names.Length == 1 ? names[0] : others.Length == 1 ? others[0] : null);
        return new CriConfiguration(snapshotter, Runtime: null, ignoresVolumes, folders);
    }

    private static string? NameOf(string folder, IReadOnlyList<ContainerdPlugin> plugins)
    {
        if (plugins.FirstOrDefault(plugin => plugin.Type == ContainerdPlugin.SnapshotterType && plugin.Root == folder) is { } known)
        {
            return known.Id;
        }

        var last = folder[(folder.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
        return last.StartsWith(FolderPrefix, StringComparison.Ordinal) && last.Length > FolderPrefix.Length ? last[FolderPrefix.Length..] : null;
    }

    private static JsonDocument? Parse(string? config)
    {
        try
        {
            return config is null ? null : JsonDocument.Parse(config);
        }
        catch (JsonException)
        {
            // It has no promised form; what it does not tell is not known.
            return null;
        }
    }

    private static JsonElement? Get(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;
}
