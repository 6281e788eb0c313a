using NUnit.Framework;

namespace CimConvert.TestKit.Servers;

/// <summary>Programs that tests use and machines may lack.</summary>
public static class Tools
{
    /// <summary>The program's full path. Ends the test as ignored, saying why, where it is not installed.</summary>
    public static string Require(string program)
    {
        if (Find(program) is string path)
        {
            return path;
        }

        Assert.Ignore($"{program} is not installed: what this test shows is not seen on this machine.");
        throw new InvalidOperationException("Assert.Ignore returned.");
    }

    /// <summary>A program that tests/containerd.sh or the like puts at a path, under the same rule.</summary>
    public static string Require(string program, string path)
    {
        if (!File.Exists(path))
        {
            Assert.Ignore($"{program} is not at {path}: what this test shows is not seen on this machine.");
        }

        return path;
    }

    public static string? Find(string program)
    {
        // Where administrators' programs lie is not on every user's path, and where Debian puts wine64 is on nobody's.
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/sbin", "/usr/lib/wine"];
        string[] names = OperatingSystem.IsWindows() ? [program + ".exe"] : [program];
        return folders
            .Where(folder => folder.Length > 0)
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }
}
