using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CimConvert.Prewarming;
using CimConvert.Registry;
using CimConvert.Registry.Auth;

namespace CimConvert.Cli.Commands;

/// <summary>The options of every command that uses registries.</summary>
internal sealed class RegistryCommandOptions
{
    private const int MaxStallSeconds = 3600;

    private readonly Option<bool> _plainHttp = new("--plain-http")
    {
        Description = "Use HTTP without TLS for the registry. Not needed for registries on this machine.",
    };

    private readonly Option<string?> _hostsFolder = new("--hosts-dir")
    {
        Description = "Folder with mirrors and certificates for each registry, as for containerd (hosts.toml). Default: containerd's and docker's own folders.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _certificateFolder = new("--cert-dir")
    {
        Description = "Folder with certificates for the registry: certificate authorities in *.crt, client certificates in *.cert and *.key.",
        HelpName = "DIR",
    };

    private readonly Option<int?> _stallTimeout = new("--stall-timeout")
    {
        Description = "Resume a download on a new connection if no data arrives for this long. Default: 30.",
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
    /// <param name="listed">The settings in a list file; the command line takes precedence.</param>
    /// <exception cref="InvalidDataException">A given folder does not exist, or docker's config.json is invalid.</exception>
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

    /// <summary>
    /// The default folders of containerd and docker (github.com/containerd/nerdctl, docs/registry.md;
    /// docs.docker.com/engine/security/certificates).
    /// </summary>
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
