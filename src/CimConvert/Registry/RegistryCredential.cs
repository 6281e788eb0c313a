namespace CimConvert.Registry;

/// <summary>One of the three things a registry can know a client by.</summary>
internal abstract record RegistryCredential
{
    private RegistryCredential()
    {
    }

    /// <summary>The kind of credential; never its secret, which a log line or an exception could carry away.</summary>
    public sealed override string ToString() => GetType().Name;

    public sealed record Password(string UserName, string Secret) : RegistryCredential;

    /// <summary>An OAuth2 refresh token, traded for access tokens (<c>identitytoken</c>).</summary>
    public sealed record IdentityToken(string Token) : RegistryCredential;

    /// <summary>A bearer token, sent to the registry as it is (<c>registrytoken</c>).</summary>
    public sealed record AccessToken(string Token) : RegistryCredential;
}
