using System.Collections.Concurrent;
using System.Globalization;
using CimConvert.Cli.Demo;

namespace CimConvert.TestKit.Registry;

/// <summary>Uploads that were begun, with what has come of each. As with real registries, the client has to keep to the newest address.</summary>
internal sealed class UploadSessions
{
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private int _begun;

    public int Count => _sessions.Count;

    public Session Begin()
    {
        var id = "upload-" + Interlocked.Increment(ref _begun).ToString(CultureInfo.InvariantCulture);
        return _sessions[id] = new Session(id);
    }

    public Session? Find(string id) => _sessions.GetValueOrDefault(id);

    public void Remove(Session session) => _sessions.TryRemove(session.Id, out _);

    internal sealed class Session(string id)
    {
        private readonly MemoryStream _content = new();
        private int _state;

        public string Id => id;

        public long Length
        {
            get
            {
                lock (_content)
                {
                    return _content.Length;
                }
            }
        }

        public byte[] Content
        {
            get
            {
                lock (_content)
                {
                    return _content.ToArray();
                }
            }
        }

        public string Digest => InProcessRegistry.DigestOf(Content);

        /// <summary>An address that counts from now on, as long as no later one is given out and used.</summary>
        public string NextQuery() => "?_state=" + Interlocked.Increment(ref _state).ToString(CultureInfo.InvariantCulture);

        public bool Knows(string? state) => int.TryParse(state, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= _state;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            lock (_content)
            {
                _content.Write(bytes);
            }
        }
    }
}
