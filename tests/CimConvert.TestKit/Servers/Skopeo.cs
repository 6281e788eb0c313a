namespace CimConvert.TestKit.Servers;

/// <summary>Skopeo, the second opinion on layouts and registries.</summary>
public static class Skopeo
{
    /// <summary>Pushes an image of a layout to a plain-HTTP registry, every byte as it is.</summary>
    public static Task PushAsync(string ociDirectory, string tag, string destination) => RunAsync(
        "copy",
        "--all",
        "--preserve-digests",
        "--dest-tls-verify=false",
        $"oci:{ociDirectory}:{tag}",
        "docker://" + destination);

    /// <summary>Pulls from a plain-HTTP registry into a layout.</summary>
    public static Task PullAsync(string source, string ociDirectory, string tag) => RunAsync(
        "copy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        "docker://" + source,
        $"oci:{ociDirectory}:{tag}");

    /// <summary>Copies from a plain-HTTP registry to a folder of manifest and blobs, every byte as it is and checked against its digest.</summary>
    public static Task CopyToFolderAsync(string source, string directory) =>
        RunAsync("copy", "--preserve-digests", "--src-tls-verify=false", "docker://" + source, "dir:" + directory);

    /// <summary>The raw manifest of an image in a layout.</summary>
    public static async Task<byte[]> InspectRawAsync(string ociDirectory, string tag) =>
        (await RunAsync("inspect", "--raw", $"oci:{ociDirectory}:{tag}").ConfigureAwait(false)).OutputBytes;

    /// <summary>The raw manifest of an image in a plain-HTTP registry.</summary>
    public static async Task<byte[]> InspectRawAsync(string reference) =>
        (await RunAsync("inspect", "--raw", "--tls-verify=false", "docker://" + reference).ConfigureAwait(false)).OutputBytes;

    private static async Task<ProcessResult> RunAsync(params string[] arguments)
    {
        string skopeo = Tools.Require("skopeo");
        string[] all = ["--insecure-policy", "--override-os", "windows", "--override-arch", "amd64", .. arguments];
        return (await ExternalProcess.RunAsync(skopeo, all).ConfigureAwait(false)).EnsureSuccess();
    }
}
