using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>
/// Retries GET and HEAD after transient failures: 408, 429, 5xx, a lost connection, no response in time. Decisions of the registry
/// (401, 403, 404) and refused connections are final.
/// </summary>
internal sealed class RetryHandler : DelegatingHandler
{
    private readonly RegistryOptions _options;
    private readonly RetryPolicy _policy;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline<HttpResponseMessage> _retrying;
    private readonly ResiliencePipeline<HttpResponseMessage> _single;

    public RetryHandler(RegistryOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _policy = new RetryPolicy(options);
        var rule = new RetryRule<HttpResponseMessage>
        {
            IsTransient = IsTransient,
            RetryAfter = outcome => outcome.Result is { } response ? TransientFault.RetryAfter(response, options.TimeProvider) : null,
            OnRetry = LogRetry,
            AttemptTimeout = options.ResponseTimeout,
        };
        _retrying = _policy.Build(rule);
        _single = _policy.Build(rule with { MaxAttempts = 1 });
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(RequestOptions.IsTimed, out var timed) && timed)
        {
            return await AttemptAsync(request, cancellationToken);
        }

        // RFC 9110, 9.2.2: only idempotent requests are repeated. A request body can be sent only once, too.
        var repeatable = request.Content is null && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head);
        var attempts = 0;
        return await (repeatable ? _retrying : _single).ExecuteAsync(
            async (sent, cancellationToken) =>
            {
                if (attempts++ > 0 && sent.Options.TryGetValue(RequestOptions.Count, out var count))
                {
                    count.AddRetry();
                }

                return await AttemptAsync(sent, cancellationToken);
            },
            request,
            cancellationToken);
    }

    /// <summary>Small bodies are read here, so that a connection lost while reading them is one more failed attempt.</summary>
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

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } => TransientFault.Is(response.StatusCode),
        { Exception: { } e } => TransientFault.Is(e),
        _ => false,
    };

    private void LogRetry(Outcome<HttpResponseMessage> outcome, int failures, TimeSpan pause) => _logger.LogWarning(
        "{Reason}; attempt {Attempt} of {Attempts} follows in {Delay:0.0} s", Reason(outcome), failures + 1, _policy.MaxAttempts, pause.TotalSeconds);

    private string Reason(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } => $"{response.RequestMessage?.RequestUri?.Authority} answered with status {(int)response.StatusCode}",
        { Exception: TimeoutRejectedException } => $"no answer within {_options.ResponseTimeout.TotalSeconds:0.###} s",
        _ => Printable.Of(outcome.Exception?.Message ?? string.Empty),
    };
}
