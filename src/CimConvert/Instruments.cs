using System.Diagnostics.Metrics;

namespace CimConvert;

/// <summary>
/// The program's metrics (System.Diagnostics.Metrics), with units of OpenTelemetry's semantic conventions
/// (opentelemetry.io/docs/specs/semconv/general/metrics). Nothing is collected unless the command line, or a program that uses this
/// library, sets up an exporter.
/// </summary>
internal static class Instruments
{
    /// <summary>The meter to subscribe to.</summary>
    public const string MeterName = "cimconvert";

    private const string Bytes = "By";
    private const string Seconds = "s";

    private static readonly Meter s_meter = new(MeterName);

    internal static readonly Counter<long> Downloaded = s_meter.CreateCounter<long>("cimconvert.bytes.downloaded", Bytes, "Bytes downloaded");
    internal static readonly Counter<long> Decompressed = s_meter.CreateCounter<long>("cimconvert.bytes.decompressed", Bytes, "Bytes of uncompressed layer tars");
    internal static readonly Counter<long> Written = s_meter.CreateCounter<long>("cimconvert.bytes.written", Bytes, "Bytes of block files");
    internal static readonly Counter<long> Retries = s_meter.CreateCounter<long>("cimconvert.registry.retries", "{retry}", "Retried requests and transfers");
    internal static readonly Counter<long> Layers = s_meter.CreateCounter<long>("cimconvert.layers", "{layer}", "Layers done, by result: converted, reused or failed");
    internal static readonly Counter<long> Images = s_meter.CreateCounter<long>("cimconvert.images", "{image}", "Images done, by result: converted or failed");
    internal static readonly Histogram<double> StageDuration = s_meter.CreateHistogram<double>("cimconvert.stage.duration", Seconds, "Time an image spends in a stage, by stage");
    internal static readonly UpDownCounter<long> ActiveImports = s_meter.CreateUpDownCounter<long>("cimconvert.imports.active", "{layer}", "Layers being imported");

    internal static KeyValuePair<string, object?> Result(string result) => new("result", result);

    internal static KeyValuePair<string, object?> Stage(string stage) => new("stage", stage);
}
