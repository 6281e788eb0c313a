using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace CimConvert.Cli.Output;

/// <summary>
/// Sends the program's metrics to an OpenTelemetry collector, where the standard variables name one (OpenTelemetry
/// specification, "Environment Variable Specification"): the library reads them, this only decides whether to start it.
/// </summary>
internal static class Telemetry
{
    /// <returns>To be disposed at the end, which sends what is left; null where nobody asked for metrics.</returns>
    public static IDisposable? Start()
    {
        if (Get("OTEL_SDK_DISABLED") is "true" || Get("OTEL_METRICS_EXPORTER") is "none")
        {
            return null;
        }

        var isAskedFor = Get("OTEL_METRICS_EXPORTER") is "otlp" || Get("OTEL_EXPORTER_OTLP_ENDPOINT") is not null || Get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") is not null;
        return isAskedFor ? Sdk.CreateMeterProviderBuilder().AddMeter(Instruments.MeterName).AddOtlpExporter().Build() : null;
    }

    private static string? Get(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
