using System.Globalization;
using System.Text;

namespace CimConvert.TestKit.Registry;

/// <summary>Whom the registry lets in: everyone, those with a password, or those with a token it gave out at <c>/token</c>.</summary>
internal sealed class Login
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private string? _challenge;
    private string? _basic;
    private string? _refreshToken;
    private bool _bearer;
    private int _issued;

    public string? Challenge
    {
        get
        {
            lock (_lock)
            {
                return _challenge;
            }
        }
    }

    public void RequireBasic(string userName, string password)
    {
        lock (_lock)
        {
            _bearer = false;
            _basic = Encode(userName, password);
            _challenge = "Basic realm=\"fake\"";
        }
    }

    public void RequireBearer(string realm, string? userName, string? password, string? refreshToken)
    {
        lock (_lock)
        {
            _bearer = true;
            _basic = userName is null ? null : Encode(userName, password ?? string.Empty);
            _refreshToken = refreshToken;
            _challenge = $"Bearer realm=\"{realm}\",service=\"fake registry\",scope=\"repository:anything:pull,push\"";
        }
    }

    public void ExpireTokens()
    {
        lock (_lock)
        {
            _tokens.Clear();
        }
    }

    /// <param name="authorization">The header.</param>
    /// <param name="action">What is to be done: a token must have been asked for that.</param>
    public bool Admits(string? authorization, string action)
    {
        lock (_lock)
        {
            return _challenge is null || (_bearer
                ? authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true && _tokens.TryGetValue(authorization["Bearer ".Length..], out var scope) && scope.Contains(action, StringComparison.Ordinal)
                : authorization == _basic);
        }
    }

    /// <summary>A new token, or null where the one who asks may have none.</summary>
    public string? Issue(string? authorization, string? refreshToken, string scope)
    {
        lock (_lock)
        {
            var known = _refreshToken is null ? _basic is null || authorization == _basic : refreshToken == _refreshToken;
            if (!known)
            {
                return null;
            }

            var token = "token-" + (++_issued).ToString(CultureInfo.InvariantCulture);
            _tokens.Add(token, scope);
            return token;
        }
    }

    private static string Encode(string userName, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"));
}
