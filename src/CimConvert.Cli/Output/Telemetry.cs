using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace CimConvert.Cli.Output;

/// <summary>
/// Exports metrics to an OpenTelemetry collector if the standard environment variables name one
/// (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables). The OpenTelemetry library reads the variables; this
/// only decides whether to start it.
/// </summary>
internal static class Telemetry
{
    /// <returns>Disposing it sends the remaining metrics; null if no exporter is configured.</returns>
    public static IDisposable? Start()
    {
        if (Get("OTEL_SDK_DISABLED") is "true" || Get("OTEL_METRICS_EXPORTER") is "none")
        {
            return null;
        }

        var isConfigured = Get("OTEL_METRICS_EXPORTER") is "otlp" || Get("OTEL_EXPORTER_OTLP_ENDPOINT") is not null || Get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") is not null;
        return isConfigured ? Sdk.CreateMeterProviderBuilder().AddMeter(Instruments.MeterName).AddOtlpExporter().Build() : null;
    }

    private static string? Get(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
