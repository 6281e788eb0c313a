namespace CimConvert.Registry.Auth;

/// <summary>What a request needs leave for. A request without a scope is sent without credentials.</summary>
/// <param name="Registry">Host and port as in an image reference, which credentials are kept by.</param>
/// <param name="Repository">The repository to pull from or push to.</param>
/// <param name="Push">To push to it, too. Such leave is asked for only when it is needed: not everyone who may pull has it.</param>
internal sealed record RepositoryScope(string Registry, string Repository, bool Push = false)
{
    /// <summary>distribution, docs/spec/auth/scope.md: type, name and actions.</summary>
    public string Token => $"repository:{Repository}:{(Push ? "pull,push" : "pull")}";
}
