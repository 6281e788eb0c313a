namespace CimConvert.Registry;

/// <summary>What a client authenticates with: a password, an identity token or an access token.</summary>
internal abstract record RegistryCredential
{
    private RegistryCredential()
    {
    }

    /// <summary>The kind of credential, never its secret: the text may end in a log or an exception.</summary>
    public sealed override string ToString() => GetType().Name;

    public sealed record Password(string UserName, string Secret) : RegistryCredential;

    /// <summary>An OAuth2 refresh token, exchanged for access tokens (<c>identitytoken</c> in docker's config.json).</summary>
    public sealed record IdentityToken(string Token) : RegistryCredential;

    /// <summary>A bearer token, sent to the registry as it is (<c>registrytoken</c> in docker's config.json).</summary>
    public sealed record AccessToken(string Token) : RegistryCredential;
}

/// <summary>Finds the credentials of a registry.</summary>
internal interface ICredentialSource
{
    /// <param name="registry">Host and port as in an image reference; <c>docker.io</c> for Docker Hub.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <returns>Null to use the registry anonymously.</returns>
    ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken cancellationToken);
}
