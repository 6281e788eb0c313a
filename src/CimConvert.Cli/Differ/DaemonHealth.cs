using CimConvert.Containerd;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CimConvert.Cli.Differ;

/// <summary>A differ is of use only while the daemon answers that it reads layers from.</summary>
internal sealed class DaemonHealth(ContainerdClient client) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy(await client.VersionAsync(cancellationToken));
        }
        catch (ConversionException e)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }
}
