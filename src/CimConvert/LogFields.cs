using Microsoft.Extensions.Logging;

namespace CimConvert;

/// <summary>Fields of log lines besides the message, set by logging scopes.</summary>
internal static class LogFields
{
    /// <summary>The name of the image that is being converted.</summary>
    public const string Image = "image";

    /// <summary>The digest of the source layer.</summary>
    public const string Layer = "layer";

    internal static IDisposable? With(this ILogger logger, string field, string value) => logger.BeginScope(new KeyValuePair<string, object?>[] { new(field, value) });
}
