using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace CimConvert.Cli.Output;

/// <summary>
/// Logs to standard error, one line of text or one JSON object per message: level, message, image and layer. Without timestamps, so
/// that the logs of two runs can be compared.
/// </summary>
internal sealed class StderrLoggerProvider(bool json) : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private void Write(LogLevel logLevel, string message)
    {
        var level = logLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warning",
            _ => "error",
        };
        Console.Error.WriteLine(json ? Json(level, message) : Text(level, OneLine.Of(message)));
    }

    private string Json(string level, string message)
    {
        using var line = new MemoryStream();
        using (var writer = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = JsonOutput.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("level", level);
            foreach (var (name, value) in Fields())
            {
                writer.WriteString(name, value);
            }

            writer.WriteString("message", message);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
    }

    /// <summary>Adds the image's name unless the message has it. Messages about a layer name the layer themselves.</summary>
    private string Text(string level, string message)
    {
        var image = Fields().GetValueOrDefault(LogFields.Image);
        return image is null || message.Contains(image, StringComparison.Ordinal) ? $"{level}: {message}" : $"{level}: {image}: {message}";
    }

    private Dictionary<string, string> Fields()
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        _scopes.ForEachScope(
            static (scope, fields) =>
            {
                foreach (var (name, value) in scope as IEnumerable<KeyValuePair<string, object?>> ?? [])
                {
                    fields[name] = $"{value}";
                }
            },
            fields);
        return fields;
    }

    private sealed class Logger(StderrLoggerProvider provider) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            provider.Write(logLevel, formatter(state, exception));
    }
}
