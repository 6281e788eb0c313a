using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Containerd;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert containerd list|remove|unpin</c></summary>
internal static class ContainerdCommand
{
    public static Command Create() => new("containerd", "Lists and removes the images that were prewarmed into containerd.")
    {
        CreateList(),
        CreateChange("remove", "Removes a prewarmed image from containerd, and what nothing else there needs of it.", "removed", (images, name, token) => images.RemoveAsync(name, token)),
        CreateChange("unpin", "Lets kubelet remove a prewarmed image when no pod uses it and the disk fills.", "unpinned", (images, name, token) => images.UnpinAsync(name, token)),
    };

    private static Command CreateList()
    {
        var options = new DaemonOptions();
        return options.AddTo(new Command("list", "Lists the images that were prewarmed into containerd."), async (images, parsed, cancellationToken) =>
        {
            var all = await images.ListAsync(cancellationToken);
            if (parsed.GetValue(options.Json))
            {
                WriteJson(all);
                return;
            }

            foreach (var image in all)
            {
                var marks = (image.Pinned ? " pinned" : string.Empty) + (image.Shared ? " shared" : string.Empty);
                Console.WriteLine(OneLine.Of($"{image.Names[0]} {image.Target}{marks}"));
            }
        });
    }

    private static Command CreateChange(
        string name, string description, string done, Func<PrewarmedImages, string, CancellationToken, Task<IReadOnlyList<string>>> change)
    {
        var options = new DaemonOptions();
        var reference = new Argument<string>("REF") { Description = "The image as pods name it, or the digest of its config." };
        return options.AddTo(new Command(name, description) { reference }, async (images, parsed, cancellationToken) =>
        {
            var names = await change(images, parsed.GetRequiredValue(reference), cancellationToken);
            if (parsed.GetValue(options.Json))
            {
                JsonOutput.WriteDocument(json =>
                {
                    json.WriteStartObject();
                    JsonOutput.WriteStrings(json, done, names);
                    json.WriteEndObject();
                });
                return;
            }

            foreach (var changed in names)
            {
                Console.WriteLine(OneLine.Of($"{done} {changed}"));
            }
        });
    }

    private static void WriteJson(IReadOnlyList<ContainerdImage> images) => JsonOutput.WriteDocument(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("images");
        foreach (var image in images)
        {
            json.WriteStartObject();
            JsonOutput.WriteStrings(json, "names", image.Names);
            json.WriteString("target", image.Target);
            json.WriteBoolean("pinned", image.Pinned);
            json.WriteBoolean("shared", image.Shared);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>What all three take, and the connection that they use.</summary>
    private sealed class DaemonOptions
    {
        private readonly Option<ContainerdAddress> _address = ContainerdOptions.Address();
        private readonly Option<string> _namespace = ContainerdOptions.Namespace();

        public Option<bool> Json { get; } = CommonOptions.Json();

        public Command AddTo(Command command, Func<PrewarmedImages, ParseResult, CancellationToken, Task> run)
        {
            command.Options.Add(_address);
            command.Options.Add(_namespace);
            command.Options.Add(Json);
            command.Options.Add(CommonOptions.Verbose());
            command.SetAction(async (parsed, cancellationToken) =>
            {
                using var client = ContainerdClient.Connect(
                    parsed.GetValue(_address) ?? ContainerdAddress.Default, parsed.GetRequiredValue(_namespace), NullLogger.Instance);
                await run(new PrewarmedImages(client), parsed, cancellationToken);
                return ExitCodes.Done;
            });
            return command;
        }
    }
}
