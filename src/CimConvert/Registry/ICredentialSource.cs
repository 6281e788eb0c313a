namespace CimConvert.Registry;

/// <summary>Knows the credentials of registries.</summary>
internal interface ICredentialSource
{
    /// <param name="registry">Host and port as in an image reference; <c>docker.io</c> for Docker Hub.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Null where the registry is to be used anonymously.</returns>
    ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken cancellationToken);
}
