using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Adds a layer's name to failures and to the log.</summary>
internal static class LayerStep
{
    public static async Task<T> RunAsync<T>(LayerPlan plan, ILogger logger, Func<Task<T>> step)
    {
        using var scope = logger.With(LogFields.Layer, plan.Blob.Digest.ToString());
        try
        {
            return await step();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(plan.Name, e);
        }
    }
}
