using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Containerd;
using CimConvert.Fitness;
using CimConvert.Oci;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert doctor [IMAGE]</c></summary>
internal static class DoctorCommand
{
    /// <summary>Two attempts: a node is looked at, and whoever waits for it can ask again.</summary>
    private const int Attempts = 2;

    public static Command Create()
    {
        var image = new Argument<ImageReference?>("IMAGE")
        {
            Description = "An image to be prewarmed, to check its registry and Windows version, too: [REGISTRY/]REPOSITORY[:TAG][@DIGEST].",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = CommonOptions.Parser(ImageReference.Parse),
        };
        var address = ContainerdOptions.Address();
        var name = ContainerdOptions.Namespace();
        var snapshotter = ContainerdOptions.Snapshotter(
            "The snapshotter that images are prewarmed into; 'auto' is cimfs if it is loaded, else blockcim.");
        var config = new Option<string>("--config")
        {
            Description = "containerd's config.toml, for what the running daemon does not tell.",
            HelpName = "FILE",
            DefaultValueFactory = _ => DaemonConfiguration.DefaultPath,
        };
        var registry = new RegistryCommandOptions();
        var json = CommonOptions.Json();
        var verbose = CommonOptions.Verbose();
        var command = new Command("doctor", "Checks whether this machine and its containerd are fit for what is prewarmed.")
        {
            image, address, name, snapshotter, config, json, verbose,
        };
        registry.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isVerbose = parsed.GetValue(verbose);
            using var loggers = CommonOptions.CreateLoggers(new LogSettings(Quiet: !isVerbose, isVerbose));
            using var client = ContainerdClient.Connect(
                parsed.GetValue(address) ?? ContainerdAddress.Default, parsed.GetRequiredValue(name), loggers.CreateLogger("doctor"));
            var options = new FitnessOptions
            {
                Snapshotter = parsed.GetRequiredValue(snapshotter),
                ConfigurationPath = parsed.GetRequiredValue(config),
                Image = parsed.GetValue(image),
            };
            if (options.Image is not null)
            {
                options = options with { Registry = registry.Read(parsed) with { MaxAttempts = Attempts } };
            }

            var report = await new NodeFitness(client, options, loggers).RunAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                FitnessOutput.WriteJson(report);
            }
            else
            {
                FitnessOutput.WriteText(report);
            }

            return report.IsFit ? ExitCodes.Done : ExitCodes.MachineUnfit;
        });
        return command;
    }
}
