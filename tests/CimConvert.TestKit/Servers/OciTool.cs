using CimConvert.TestKit.Containerd;

namespace CimConvert.TestKit.Servers;

/// <summary>Programs of others for registries that <c>tests/containerd.sh</c> has fetched: crane and oras.</summary>
public static class OciTool
{
    /// <summary>Runs the program, which is to succeed. Ends the test as ignored, saying why, where it is not there.</summary>
    public static async Task<ProcessResult> RunAsync(string program, params string[] arguments)
    {
        string path = Tools.Require($"{program} of sid (see tests/containerd.sh)", Path.Combine(ContainerdProgram.Folder, "sid", "usr", "bin", program));
        return (await ExternalProcess.RunAsync(path, arguments).ConfigureAwait(false)).EnsureSuccess();
    }
}
