using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CimConvert.Prewarming;
using CimConvert.Registry;
using CimConvert.Registry.Auth;

namespace CimConvert.Cli.Commands;

/// <summary>The options of every command that talks to registries, and what they come to.</summary>
internal sealed class RegistryCommandOptions
{
    private const int MaxStallSeconds = 3600;

    private readonly Option<bool> _plainHttp = new("--plain-http")
    {
        Description = "Talk to the registry without TLS. A registry on this machine that does not speak TLS needs no such leave.",
    };

    private readonly Option<string?> _hostsFolder = new("--hosts-dir")
    {
        Description = "Mirrors and certificates by registry, as containerd has them (hosts.toml); containerd's own folder, if there is one, if not given.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _certificateFolder = new("--cert-dir")
    {
        Description = "Certificates for the registry: authorities in *.crt, client certificates in *.cert and *.key.",
        HelpName = "DIR",
    };

    private readonly Option<int?> _stallTimeout = new("--stall-timeout")
    {
        Description = "A download from which nothing came for so long is continued on a new connection; 30 if not given.",
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
    /// <param name="listed">What a list file says; the command line goes before it.</param>
    /// <exception cref="InvalidDataException">A folder that was named is not there, or docker's configuration is not one.</exception>
    public RegistryOptions Read(ParseResult parsed, PrewarmRegistries? listed = null)
    {
        var options = new RegistryOptions();
        return options with
        {
            PlainHttp = parsed.GetValue(_plainHttp) || listed?.PlainHttp == true,
            HostsFolders = (parsed.GetValue(_hostsFolder) ?? listed?.HostsDir) is { } hosts ? [Existing("--hosts-dir", hosts)] : UsualFolders(),
            CertificateFolder = (parsed.GetValue(_certificateFolder) ?? listed?.CertDir) is { } certificates ? Existing("--cert-dir", certificates) : null,
            StallTimeout = parsed.GetValue(_stallTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : listed?.StallTimeout ?? options.StallTimeout,
            Credentials = DockerConfigCredentials.Load(DockerConfigCredentials.DefaultPath),
        };
    }

    /// <summary>Where containerd and docker themselves are configured (nerdctl, docs/registry.md; dockerd, "certs.d").</summary>
    private static IReadOnlyList<string> UsualFolders()
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
