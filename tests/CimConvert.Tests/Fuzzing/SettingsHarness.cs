using System.Text;
using CimConvert.Prewarming;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Hosts;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;

namespace CimConvert.Tests.Fuzzing;

/// <summary>What a registry answers to a request without a login.</summary>
internal sealed class ChallengeHarness : FuzzHarness
{
    public override string Name => "challenges";

    public override int MaxLength => 4 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } = Words("Bearer ", "Basic ", "realm=", "service=", "scope=", "\"", "\\", ",", "=", ";", "\r\n", "\0", "Negotiate", "==");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        ["Bearer realm=\"https://auth.example.com/token\",service=\"registry.example.com\",scope=\"repository:win/app:pull,push\""u8.ToArray()],
        ["Basic realm=\"a \\\"quoted\\\" name\", charset=UTF-8"u8.ToArray()],
        ["Negotiate abc==, Bearer realm=x , error=\"insufficient_scope\""u8.ToArray()],
    ];

    /// <summary>There is nothing in a challenge to refuse: what cannot be understood says nothing.</summary>
    public override bool IsRefusal(Exception error) => false;

    public override string Run(byte[][] parts)
    {
        using var response = new HttpResponseMessage(System.Net.HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", Encoding.Latin1.GetString(parts[0]).Split('\n'));
        var challenges = AuthenticationChallenge.AllOf(response);
        return string.Join('|', challenges.Select(c => $"{(c.IsBearer, c.IsBasic)} {c.Parameters.Count} {Magnitude(c.Parameters.Sum(p => p.Value.Length))}"));
    }
}

/// <summary>Where tokens, redirects and foreign layers are said to be.</summary>
internal sealed class AddressHarness : FuzzHarness
{
    private static readonly Uri s_from = new("https://registry.example:5000/v2/win/app/blobs/x?y=z");

    public override string Name => "addresses";

    public override int MaxLength => 512;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        Words("https://", "http:", "//", "file:", "[::1]", "[fe80::1%25eth0]", ":99999", "@", "?", "#", "%", "%00", "xn--", "\u00ad", "\u3002", "..", "\\", " ", "\u202e", "!", "-");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        .. from text in new[] { "https://auth.example.com/token?a=b", "http://localhost:5000/v2/", "/v2/x?y", "../x", "https://[::1]:443/%41", "//other.example/x", "https://bücher.example/ü" }
           select new[] { Encoding.UTF8.GetBytes(text) },
    ];

    /// <summary>What is no address is none, without an exception.</summary>
    public override bool IsRefusal(Exception error) => false;

    public override string Run(byte[][] parts)
    {
        // Headers are Latin-1, manifests and settings UTF-8.
        var header = Encoding.Latin1.GetString(parts[0]);
        var target = Uri.TryCreate(header, UriKind.RelativeOrAbsolute, out var location) && Uri.TryCreate(s_from, location, out var resolved) ? resolved : null;
        return $"{Look(WebAddress.TryRead(header))} {Look(WebAddress.TryRead(Encoding.UTF8.GetString(parts[0])))} {Look(target)}";
    }

    /// <summary>What the client asks of an address. Whether it can be asked anything at all, it is told in asking.</summary>
    private static string Look(Uri? address) => address is null || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        ? "none"
        : $"{address.Scheme} {address.HostNameType} {address.IsDefaultPort} {Magnitude(address.Authority.Length + address.AbsolutePath.Length + address.Query.Length + address.UserInfo.Length)}"
            + $" {Magnitude(address.GetLeftPart(UriPartial.Query).Length)}";
}

/// <summary><c>hosts.toml</c>, which an administrator writes, and many a tool.</summary>
internal sealed class HostsHarness : FuzzHarness
{
    private static readonly RegistryHost s_self = RegistryHost.Of("r.example:5000", plainHttp: false);

    public override string Name => "hosts.toml";

    public override int MaxLength => 8 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Words("server = ", "[host.\"https://", "[[host]]", "capabilities = [\"pull\"]", "skip_verify = true", "ca = ", "client = [[", "header", "override_path", "dial_timeout = \"1m\"", "\"\"\"", "'''"),
        .. Words("\\U0010ffff", "\\u0000", "\\", "{", "}", "[", "]", "=", ".", "#", "\r", "\n", "0x", "1979-05-27T07:32:00Z", "inf", "1_000", "\0"),
    ];

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        [
            """
            server = "https://upstream.example"
            capabilities = ["pull", "push"]

            [host."https://b.example"]
              capabilities = ["pull"]
              ca = ["a.crt", 'b.crt']
              client = [["c.cert", "c.key"], ["d.pem", ""]]
              [host."https://b.example".header]
                x-key = ["one", "two"]
            [host."http://a.example:5000/mirror"]
              skip_verify = true
              dial_timeout = "1m1.5s"
            [host."https://c.example/v2/proxy"]
              override_path = true

            """u8.ToArray()
        ],
        ["a = { b = 1, c = { d = [1, 2.5, 1979-05-27T07:32:00Z] } }\nx.y.z = \"\"\"\nline\\\n  more\"\"\"\n[[t]]\nn = 0x1f # end\n[[t]]\nn = 'x'\n"u8.ToArray()],
    ];

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var warnings = 0;
        var hosts = HostsFile.Read(parts[0], "/nowhere/hosts.toml", s_self, _ => warnings++);
        return $"{hosts.Count} {Magnitude(warnings)} {hosts.Sum(h => h.Headers.Count)} {hosts.Sum(h => h.Connection.Authorities.Count)}";
    }
}

/// <summary>A prewarm list.</summary>
internal sealed class ListHarness : FuzzHarness
{
    public override string Name => "yaml";

    public override int MaxLength => 4 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Words("images:", "store:", "- ", "  ", "\n", "\t", "&a ", "*a", "<<: ", "!!map ", "!!binary ", "---\n", "...\n", "? ", ": ", "{", "}", "[", "]", "|", ">", "%YAML 1.2\n", "\"\\x", "'", "#"),
        .. Words("defaults:", "disk:", "minFree: 1GiB", "window: 22:00-05:30", "retryBudget: ", "shard", "null", "~", "\u0085", "\ufeff", "push: a/{repository}:{tag}"),
    ];

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        [
            """
            store: /store
            registries: { plainHttp: false, stallTimeout: 30s }
            defaults:
              platform: windows/amd64
              backend: auto
            images:
              - registry.example/win/nano:ltsc2022
              - image: registry.example/win/core:ltsc2022
                osVersion: "10.0.20348"
            concurrency: { images: 2, downloads: 4, imports: 1 }
            retryBudget: 10
            disk:
              minFree: 20GiB
            bandwidth: 50MiB/s
            window: 22:00-05:30

            """u8.ToArray()
        ],
        ["%YAML 1.2\n---\nstore: &s 'x'\nimages: [a, *s, \"b\\u0041\"] # end\n"u8.ToArray()],
    ];

    public override bool IsRefusal(Exception error) => error is PrewarmListException;

    public override string Run(byte[][] parts)
    {
        var list = PrewarmListReader.Parse("list.yaml", Encoding.UTF8.GetString(parts[0]));
        return $"{list.Images.Count} {list.Store?.Length > 0} {list.Into?.Namespace}";
    }
}

/// <summary>Docker's <c>config.json</c>.</summary>
internal sealed class LoginHarness : FuzzHarness, IDisposable
{
    private readonly TempFolder _folder = new();

    public override string Name => "logins";

    public override int MaxLength => 4 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        Words("\"auths\":", "\"auth\":", "\"credHelpers\":", "\"credsStore\":\"\"", "null", "{}", "[]", "https://", "/v1/", "..", "dXNlcjpwYXNz", "=", ":", "\\u0000", "identitytoken");

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        ["""{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"},"r.example:5000":{"username":"u","password":"p"},"t.example":{"identitytoken":"x","auth":"dXNlcjo="}}}"""u8.ToArray()],
        ["""{"credHelpers":{"h.example":"helper"},"auths":{"h.example":{}},"HttpHeaders":{"a":"b"}}"""u8.ToArray()],
    ];

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        File.WriteAllBytes(_folder["config.json"], parts[0]);
        var logins = DockerConfigCredentials.Load(_folder["config.json"]);
        var found = logins.FindAsync("r.example:5000", default).AsTask();
        return $"{found.Result is not null}";
    }

    public void Dispose() => _folder.Dispose();
}
