using System.CommandLine;
using CimConvert.Cli.Output;
using CimConvert.Containerd;
using CimConvert.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Cli.Commands;

/// <summary><c>cimconvert images STORE</c></summary>
internal static class ImagesCommand
{
    public static Command Create()
    {
        var store = new Argument<string>("STORE") { Description = "The store's directory." };
        var address = ContainerdOptions.Address();
        address.Description = "Also show which images are registered with this containerd: unix:///PATH, or on Windows npipe:////./pipe/NAME.";
        address.DefaultValueFactory = null;
        var @namespace = ContainerdOptions.Namespace();
        var json = CommonOptions.Json();
        var command = new Command("images", "Lists the images in a store, with their platforms and sizes.")
        {
            store, address, @namespace, json, CommonOptions.Verbose(),
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(@namespace) is { Implicit: false } && result.GetResult(address) is null)
            {
                result.AddError("--namespace goes with --containerd");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var images = StoreListing.Read(ConversionStore.OpenExisting(parsed.GetRequiredValue(store)));
            var registered = parsed.GetResult(address) is null
                ? null
                : await FindRegisteredAsync(images, parsed.GetRequiredValue(address), parsed.GetRequiredValue(@namespace), cancellationToken);
            if (parsed.GetValue(json))
            {
                ImagesOutput.WriteJson(images, registered);
            }
            else
            {
                ImagesOutput.WriteTable(images, registered);
            }

            var broken = images.Where(image => image.Problem is not null).ToArray();
            foreach (var image in broken)
            {
                await Console.Error.WriteLineAsync($"error: {OneLine.Of($"{image.Indexed.Name}: its manifest cannot be read ({image.Problem}); 'verify --repair' removes it, or convert it again")}");
            }

            return broken.Length == 0 ? ExitCodes.Done : ExitCodes.PartFailed;
        });
        return command;
    }

    /// <summary>The images that were converted into a containerd, too: it has their name, and their config, which tells platforms of a name apart.</summary>
    private static async Task<IReadOnlySet<IndexedImage>> FindRegisteredAsync(
        IReadOnlyList<ListedImage> images, ContainerdAddress address, string @namespace, CancellationToken cancellationToken)
    {
        using var client = ContainerdClient.Connect(address, @namespace, NullLogger.Instance);
        var names = (await new PrewarmedImages(client).ListAsync(cancellationToken)).SelectMany(image => image.Names).ToHashSet(StringComparer.Ordinal);
        return images
            .Where(image => image.Details is { } details && names.Contains(details.Config.ToString()) && IsNamed(image.Indexed.Reference))
            .Select(image => image.Indexed)
            .ToHashSet();

        // Images of files and folders have names that no daemon has.
        bool IsNamed(string reference)
        {
            try
            {
                return names.Contains(NamesOfImage.Normal(reference));
            }
            catch (InvalidDataException)
            {
                return false;
            }
        }
    }
}
