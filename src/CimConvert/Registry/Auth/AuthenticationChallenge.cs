using System.Net.Http.Headers;

namespace CimConvert.Registry.Auth;

/// <summary>One challenge of a 401 response (RFC 9110, 11.6.1), such as <c>Bearer realm="...",service="..."</c>.</summary>
internal sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    public static IReadOnlyList<AuthenticationChallenge> AllOf(HttpResponseMessage response) =>
        [.. response.Headers.WwwAuthenticate.Select(Parse)];

    private static AuthenticationChallenge Parse(AuthenticationHeaderValue header)
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = (header.Parameter ?? string.Empty).AsSpan();
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            var equals = rest.IndexOf('=');
            if (equals <= 0)
            {
                return new AuthenticationChallenge(header.Scheme, parameters);
            }

            var name = rest[..equals].Trim().ToString();
            rest = rest[(equals + 1)..].TrimStart();
            var value = rest is ['"', ..] ? ReadQuoted(ref rest) : ReadToken(ref rest);
            parameters.TryAdd(name, value);
        }
    }

    /// <summary>RFC 9110, 5.6.4: a backslash quotes the next character. Quoted lists, such as a scope's actions, may contain commas.</summary>
    private static string ReadQuoted(ref ReadOnlySpan<char> rest)
    {
        var value = new System.Text.StringBuilder();
        var i = 1;
        for (; i < rest.Length && rest[i] != '"'; i++)
        {
            if (rest[i] == '\\' && i + 1 < rest.Length)
            {
                i++;
            }

            value.Append(rest[i]);
        }

        rest = rest[Math.Min(i + 1, rest.Length)..];
        return value.ToString();
    }

    private static string ReadToken(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOfAny(',', ' ', '\t');
        var value = (end < 0 ? rest : rest[..end]).ToString();
        rest = end < 0 ? [] : rest[end..];
        return value;
    }
}
