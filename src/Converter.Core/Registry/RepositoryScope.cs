namespace Converter.Core.Registry;

/// <summary>What a request needs leave for. A request without a scope is sent without credentials.</summary>
/// <param name="Registry">Host and port as in an image reference, which credentials are kept by.</param>
/// <param name="Repository">The repository to pull from.</param>
internal sealed record RepositoryScope(string Registry, string Repository)
{
    /// <summary>distribution, docs/spec/auth/scope.md: type, name and actions.</summary>
    public string Token => $"repository:{Repository}:pull";
}
