using System.Net;
using CimConvert.Interop;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using Microsoft.Extensions.Logging;

namespace CimConvert.Fitness;

/// <summary>An image that is to be prewarmed, and the registry that it comes from.</summary>
internal static class ImageChecks
{
    /// <summary>Tokens are valid for a minute or more, counted by the registry's clock (distribution.github.io, "Token Authentication Specification").</summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(2);

    /// <param name="reference">The image.</param>
    /// <param name="options">How registries are reached; the clock of this machine is theirs.</param>
    /// <param name="platform">The platform that this machine would pull for.</param>
    /// <param name="loggers">Told of requests.</param>
    /// <param name="cancellationToken">Cancels all requests.</param>
    /// <returns>The checks, and the image's volumes if it could be found.</returns>
    public static async Task<(IReadOnlyList<FitnessCheck> Checks, IReadOnlyList<string>? Volumes)> RunAsync(
        ImageReference reference, RegistryOptions options, Platform platform, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var client = RegistryClientFactory.Create(options, loggers);
        var (registry, clock) = await OfRegistryAsync(client, reference, options.TimeProvider, cancellationToken);
        var (image, volumes) = await OfImageAsync(client, reference, platform, cancellationToken);
        var login = await OfLoginAsync(options.Credentials, reference.Registry, isPulled: volumes is not null, cancellationToken);
        return ([registry, login, clock, image], volumes);
    }

    /// <summary>The rule of the clock alone.</summary>
    public static FitnessCheck OfClock(DateTimeOffset here, DateTimeOffset there, string host)
    {
        var skew = here - there;
        return skew.Duration() < AllowedSkew
            ? FitnessCheck.Ok(CheckNames.Clock, $"agrees with that of {Printable.Of(host)}")
            : FitnessCheck.Warning(
                CheckNames.Clock,
                $"{skew.Duration():d\\.hh\\:mm\\:ss} {(skew < TimeSpan.Zero ? "behind" : "ahead of")} that of {Printable.Of(host)}: certificates and tokens may be refused; set this machine's clock");
    }

    private static async Task<(FitnessCheck Registry, FitnessCheck Clock)> OfRegistryAsync(
        RegistryClient client, ImageReference reference, TimeProvider time, CancellationToken cancellationToken)
    {
        const string unknown = "the registry does not tell the time";
        try
        {
            var answer = await client.PingAsync(reference, cancellationToken);
            var said = $"{Printable.Of(answer.Host)} answers ({(int)answer.Status})";
            var clock = answer.Date is { } date ? OfClock(time.GetUtcNow(), date, answer.Host) : FitnessCheck.Unknown(CheckNames.Clock, unknown);
            return (answer.Status >= HttpStatusCode.InternalServerError
                ? FitnessCheck.Failed(CheckNames.Registry, $"{said}: it is out of order, or what stands before it; try again later")
                : answer.Status == HttpStatusCode.NotFound
                ? FitnessCheck.Warning(CheckNames.Registry, $"{said}, but not as a registry does: look at its name and port, and at what stands before it")
                : FitnessCheck.Ok(CheckNames.Registry, said), clock);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return (FitnessCheck.Failed(CheckNames.Registry, e.Message), FitnessCheck.Unknown(CheckNames.Clock, unknown));
        }
    }

    /// <summary>Of an image of Windows for a host of Windows, the rules of versions are those of <see cref="PlatformSelector"/>.</summary>
    private static async Task<(FitnessCheck Image, IReadOnlyList<string>? Volumes)> OfImageAsync(
        RegistryClient client, ImageReference reference, Platform platform, CancellationToken cancellationToken)
    {
        try
        {
            var image = await new ImageResolver(new RegistrySource(client, reference)).ResolveAsync(platform, platform.OsVersion, cancellationToken);
            var volumes = ImageVolumes.Read(image.ConfigBytes);
            var found = $"{image.Platform}, {image.ManifestDescriptor.Digest}";
            return (platform.OsVersion is { } host
                ? FitnessCheck.Ok(CheckNames.Image, $"{found}, runs on this Windows, {host}")
                : FitnessCheck.Unknown(CheckNames.Image, $"{found}: this is not Windows, so that versions were not compared"), volumes);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return (FitnessCheck.Failed(CheckNames.Image, e.Message), null);
        }
    }

    /// <param name="credentials">Where logins are looked for.</param>
    /// <param name="registry">The registry.</param>
    /// <param name="isPulled">Whether the image was found with what there is.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    private static async Task<FitnessCheck> OfLoginAsync(
        ICredentialSource? credentials, string registry, bool isPulled, CancellationToken cancellationToken)
    {
        try
        {
            var found = credentials is null ? null : await credentials.FindAsync(registry, cancellationToken);
            return found is not null ? FitnessCheck.Ok(CheckNames.Login, $"found for {registry}")
                : isPulled ? FitnessCheck.Ok(CheckNames.Login, $"none found for {registry}, and none needed")
                : FitnessCheck.Warning(CheckNames.Login, $"none found for {registry}; if it wants one, run 'docker login {registry}'");
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return FitnessCheck.Failed(CheckNames.Login, e.Message);
        }
    }

    /// <summary>What this machine pulls for: Windows, of its own version if it is one.</summary>
    public static Platform PlatformToPull(string architecture) => new()
    {
        Os = Platform.Windows,
        Architecture = architecture,
        OsVersion = OperatingSystem.IsWindows() ? WindowsBuild.FullVersion : null,
    };
}
