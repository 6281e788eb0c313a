using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CimConvert.Prewarming;
using CimConvert.Registry;
using CimConvert.Registry.Auth;

namespace CimConvert.Cli.Commands;

/// <summary>The options of the commands that use registries.</summary>
internal sealed class RegistryCommandOptions
{
    private const int MaxStallSeconds = 3600;

    private readonly Option<bool> _plainHttp = new("--plain-http")
    {
        Description = "Use plain HTTP. Not needed for registries on this machine.",
    };

    private readonly Option<string?> _hostsFolder = new("--hosts-dir")
    {
        Description = "Mirrors and certificates by registry, in containerd's format (hosts.toml); by default the folders of containerd and docker.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _certificateFolder = new("--cert-dir")
    {
        Description = "Certificates for the registry: authorities in *.crt, client certificates in *.cert and *.key.",
        HelpName = "DIR",
    };

    private readonly Option<int?> _stallTimeout = new("--stall-timeout")
    {
        Description = "Resume a download on a new connection after this long without data; 30 by default.",
        HelpName = "SECONDS",
        CustomParser = ParseSeconds,
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_plainHttp);
        command.Options.Add(_hostsFolder);
        command.Options.Add(_certificateFolder);
        command.Options.Add(_stallTimeout);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="listed">The settings of a prewarm list; the command line overrides them.</param>
    /// <exception cref="InvalidDataException">A folder does not exist, or docker's configuration is invalid.</exception>
    public RegistryOptions Read(ParseResult parsed, PrewarmRegistries? listed = null)
    {
        var options = new RegistryOptions();
        return options with
        {
            PlainHttp = parsed.GetValue(_plainHttp) || listed?.PlainHttp == true,
            HostsFolders = (parsed.GetValue(_hostsFolder) ?? listed?.HostsDir) is { } hosts ? [Existing("--hosts-dir", hosts)] : DefaultFolders(),
            CertificateFolder = (parsed.GetValue(_certificateFolder) ?? listed?.CertDir) is { } certificates ? Existing("--cert-dir", certificates) : null,
            StallTimeout = parsed.GetValue(_stallTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : listed?.StallTimeout ?? options.StallTimeout,
            Credentials = DockerConfigCredentials.Load(DockerConfigCredentials.DefaultPath),
        };
    }

    /// <summary>The folders of containerd and docker (https://github.com/containerd/nerdctl/blob/main/docs/registry.md; https://docs.docker.com/engine/security/certificates/).</summary>
    private static IReadOnlyList<string> DefaultFolders()
    {
        var root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData) : "/etc";
        return [Path.Combine(root, "containerd", "certs.d"), Path.Combine(root, "docker", "certs.d")];
    }

    private static string Existing(string option, string folder) =>
        Directory.Exists(folder) ? folder : throw new InvalidDataException($"{option}: there is no folder '{folder}'");

    private static int? ParseSeconds(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxStallSeconds)
        {
            return number;
        }

        result.AddError($"--stall-timeout takes seconds from 1 to {MaxStallSeconds}, not '{text}'");
        return null;
    }
}
