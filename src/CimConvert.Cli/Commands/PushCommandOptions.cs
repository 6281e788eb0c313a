using System.CommandLine;
using CimConvert.Compression;
using CimConvert.Publishing;

namespace CimConvert.Cli.Commands;

/// <summary>The options that say how converted images are pushed.</summary>
internal sealed class PushCommandOptions
{
    private readonly Option<string> _compression = new("--push-compression")
    {
        Description = "How files are compressed for the registry. What does not get smaller by a tenth is sent as it is.",
        DefaultValueFactory = _ => TransportCompression.ZstdName,
    };

    private readonly Option<int?> _level = new("--push-level")
    {
        Description = "The level of compression: 1 to 19 for zstd (default 3), 1 to 9 for gzip (default 6).",
        HelpName = "N",
    };

    private readonly Option<bool> _force = new("--force")
    {
        Description = "Push also onto a tag that stands for something else than a converted image of the same platform, which it then loses.",
    };

    public PushCommandOptions() => _compression.AcceptOnlyFromAmong(TransportCompression.ZstdName, TransportCompression.GzipName, TransportCompression.NoneName);

    public void AddTo(Command command)
    {
        command.Options.Add(_compression);
        command.Options.Add(_level);
        command.Options.Add(_force);
        command.Validators.Add(result =>
        {
            try
            {
                TransportCompression.Parse(result.GetValue(_compression) ?? TransportCompression.ZstdName, result.GetValue(_level));
            }
            catch (InvalidDataException e)
            {
                result.AddError($"{_level.Name}: {e.Message}");
            }
        });
    }

    public PushSettings Read(ParseResult parsed) =>
        new(TransportCompression.Parse(parsed.GetRequiredValue(_compression), parsed.GetValue(_level)), parsed.GetValue(_force));
}
