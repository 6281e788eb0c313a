using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Registry.Http;

namespace CimConvert.Registry.Auth;

/// <summary>
/// A credential helper, the program <c>docker-credential-NAME</c> (https://github.com/docker/docker-credential-helpers): run with
/// <c>get</c>, it reads the server from standard input and writes the login as JSON to standard output. Errors never quote its output,
/// which may contain a secret.
/// </summary>
internal sealed class CredentialHelper
{
    /// <summary>The user name that marks an identity token (docs.docker.com, "docker login", credential helper protocol).</summary>
    private const string TokenUser = "<token>";

    /// <summary>The output if there is no login (docker-credential-helpers, credentials/error.go); the exit code is that of any failure.</summary>
    private const string NotFound = "credentials not found";

    private const string Prefix = "docker-credential-";
    private const int MaxNameLength = 64;
    private const int MaxOutputBytes = 256 << 10;

    private readonly string _program;
    private readonly TimeSpan _timeLimit;

    /// <param name="name">What follows <c>docker-credential-</c> in the program's name.</param>
    /// <param name="timeLimit">How long it may take; some helpers ask a cloud service.</param>
    /// <exception cref="InvalidDataException">The name is not a plain word.</exception>
    public CredentialHelper(string name, TimeSpan timeLimit)
    {
        if (name.Length is 0 or > MaxNameLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new InvalidDataException($"'{Printable.Of(name)}' is not the name of a credential helper: letters, digits, '-', '_' and '.'");
        }

        _program = Prefix + name;
        _timeLimit = timeLimit;
    }

    /// <param name="server">The key of the login.</param>
    /// <param name="cancellationToken">Cancels the wait and kills the program.</param>
    /// <returns>Null if the helper has no login for the server.</returns>
    /// <exception cref="RegistryException">The helper is not installed, or failed.</exception>
    public async Task<RegistryCredential?> GetAsync(string server, CancellationToken cancellationToken)
    {
        var path = Find(_program) ?? throw Failed(server, "is not installed in any folder of PATH; install it, or take it out of docker's config.json");
        using var limit = new CancellationTokenSource(_timeLimit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var (exitCode, output) = await RunAsync(path, server, either.Token);
            if (exitCode != 0)
            {
                return Encoding.UTF8.GetString(output).Contains(NotFound, StringComparison.OrdinalIgnoreCase)
                    ? null
                    : throw Failed(server, $"ended with {exitCode}; run 'echo {server} | {_program} get' to see why");
            }

            return Read(output, server);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(server, $"did not answer within {_timeLimit.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (e is Win32Exception or InvalidDataException)
        {
            throw Failed(server, $"cannot be used: {e.Message}", e);
        }
    }

    private static async Task<(int ExitCode, byte[] Output)> RunAsync(string path, string server, CancellationToken cancellationToken)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(path, ["get"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                CreateNoWindow = true,
            },
        };
        process.Start();
        try
        {
            // Standard error is dropped, but must be read: a full pipe would block the program.
            var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
            await WriteAsync(process, server, cancellationToken);
            var output = await HttpContentReader.ReadBoundedAsync(process.StandardOutput.BaseStream, MaxOutputBytes, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            await errors;
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static async Task WriteAsync(Process process, string server, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteAsync(server.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It exited, or closed its input, without reading: the exit code says more than a broken pipe.
        }
    }

    private RegistryCredential? Read(byte[] output, string server)
    {
        HelperAnswer? answer;
        try
        {
            answer = JsonSerializer.Deserialize(output, HelperJson.Default.HelperAnswer);
        }
        catch (JsonException)
        {
            // The parser's message may quote the secret.
            answer = null;
        }

        return answer switch
        {
            null => throw Failed(server, "answered with something else than a login in JSON"),
            { Secret: null or "" } => null,
            { UserName: TokenUser } => new RegistryCredential.IdentityToken(answer.Secret),
            _ => new RegistryCredential.Password(answer.UserName ?? string.Empty, answer.Secret),
        };
    }

    /// <summary>Searches PATH itself: the system's search includes the current folder, on Windows even first.</summary>
    private static string? Find(string program)
    {
        var name = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator)
            .Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }

    private RegistryException Failed(string server, string why, Exception? cause = null) =>
        new($"cannot get the login of {server}: the credential helper {_program} {why}", cause);
}

/// <summary>docker-credential-helpers, credentials/credentials.go.</summary>
internal sealed record HelperAnswer
{
    [JsonPropertyName("Username")]
    public string? UserName { get; init; }

    public string? Secret { get; init; }

    public override string ToString() => nameof(HelperAnswer);
}

[JsonSerializable(typeof(HelperAnswer))]
internal sealed partial class HelperJson : JsonSerializerContext;
