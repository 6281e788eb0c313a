using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>
/// Sends a request again that failed for a reason that may pass: 408, 429, any 5xx, a lost connection, no answer in time.
/// What the registry has decided (401, 403, 404), and an address where nobody answers, stays as it is.
/// </summary>
internal sealed class RetryHandler : DelegatingHandler
{
    private readonly RegistryOptions _options;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline<HttpResponseMessage> _repeated;
    private readonly ResiliencePipeline<HttpResponseMessage> _once;

    public RetryHandler(RegistryOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _once = Builder().AddTimeout(options.ResponseTimeout).Build();
        _repeated = options.MaxAttempts < 2 ? _once : Builder().AddRetry(Strategy()).AddTimeout(options.ResponseTimeout).Build();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(RequestOptions.IsTimed, out var timed) && timed)
        {
            return await AttemptAsync(request, cancellationToken);
        }

        // RFC 9110, 9.2.2: only what may be done twice. A body would be spent after its first sending, too.
        var repeatable = request.Content is null && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head);
        var attempts = 0;
        return await (repeatable ? _repeated : _once).ExecuteAsync(
            async (sent, token) =>
            {
                if (attempts++ > 0 && sent.Options.TryGetValue(RequestOptions.Count, out var count))
                {
                    count.AddRetry();
                }

                return await AttemptAsync(sent, token);
            },
            request,
            cancellationToken);
    }

    private ResiliencePipelineBuilder<HttpResponseMessage> Builder() => new() { TimeProvider = _options.TimeProvider };

    private RetryStrategyOptions<HttpResponseMessage> Strategy() => new()
    {
        MaxRetryAttempts = _options.MaxAttempts - 1,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = _options.RetryDelay,
        MaxDelay = _options.MaxRetryDelay,
        ShouldHandle = arguments => ValueTask.FromResult(IsTransient(arguments.Outcome)),
        DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? RetryAfter(response) : null),
        OnRetry = arguments =>
        {
            _logger.LogWarning(
                "{Reason}; attempt {Attempt} of {Attempts} follows in {Delay:0.0} s",
                Reason(arguments.Outcome),
                arguments.AttemptNumber + 2,
                _options.MaxAttempts,
                arguments.RetryDelay.TotalSeconds);
            return default;
        },
    };

    /// <summary>Small answers are read here, so that a connection lost in their midst is one more failed attempt.</summary>
    private async Task<HttpResponseMessage> AttemptAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        try
        {
            if (response.IsSuccessStatusCode && request.Options.TryGetValue(RequestOptions.BufferedBytes, out var limit))
            {
                await response.Content.LoadIntoBufferAsync(limit, cancellationToken);
            }

            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } => TransientFault.Is(response.StatusCode) && !(RetryAfter(response) > _options.MaxRetryDelay),
        { Exception: { } e } => TransientFault.Is(e),
        _ => false,
    };

    private TimeSpan? RetryAfter(HttpResponseMessage response) => TransientFault.RetryAfter(response, _options.TimeProvider);

    private static string Reason(Outcome<HttpResponseMessage> outcome)
    {
        if (outcome.Result is { } response)
        {
            return $"{response.RequestMessage?.RequestUri?.Authority} answered with status {(int)response.StatusCode}";
        }

        return outcome.Exception is TimeoutRejectedException timeout
            ? $"no answer within {timeout.Timeout.TotalSeconds:0.###} s"
            : Printable.Of(outcome.Exception?.Message ?? string.Empty);
    }
}
