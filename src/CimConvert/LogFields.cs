using Microsoft.Extensions.Logging;

namespace CimConvert;

/// <summary>What every log line says besides its message, as logging scopes.</summary>
internal static class LogFields
{
    /// <summary>The name of the image that is being converted.</summary>
    public const string Image = "image";

    /// <summary>The digest of the source layer.</summary>
    public const string Layer = "layer";

    internal static IDisposable? With(this ILogger logger, string field, string value) => logger.BeginScope(new KeyValuePair<string, object?>[] { new(field, value) });
}
