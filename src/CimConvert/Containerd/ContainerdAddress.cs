using System.Text;

namespace CimConvert.Containerd;

/// <summary>Where containerd listens: the path of a Unix socket, or a named pipe of this Windows by its name without <c>\\.\pipe\</c>.</summary>
internal sealed record ContainerdAddress(bool IsPipe, string Path)
{
    /// <summary>UNIX_PATH_MAX less the zero at its end (unix(7)).</summary>
    public const int MaxSocketPath = 107;

    /// <summary>learn.microsoft.com/windows/win32/ipc/pipe-names: 256 characters with <c>\\.\pipe\</c>.</summary>
    public const int MaxPipeName = 247;

    private const string Socket = "unix://";
    private const string Pipe = "npipe:////./pipe/";
    private const string WindowsPipe = @"\\.\pipe\";

    /// <summary>Where containerd listens if nobody told it otherwise.</summary>
    public static ContainerdAddress Default { get; } = OperatingSystem.IsWindows()
        ? new(IsPipe: true, "containerd-containerd")
        : new(IsPipe: false, "/run/containerd/containerd.sock");

    /// <summary>Reads <c>unix:///PATH</c>, <c>npipe:////./pipe/NAME</c>, an absolute path or <c>\\.\pipe\NAME</c>.</summary>
    /// <exception cref="InvalidDataException">The text is none of these.</exception>
    public static ContainerdAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Any(char.IsControl))
        {
            throw Bad(text, "it has a control character");
        }

        if (After(text, Pipe) is { } pipe)
        {
            return OfPipe(text, pipe);
        }

        if (After(text, WindowsPipe) is { } windowsPipe)
        {
            return OfPipe(text, windowsPipe);
        }

        var path = After(text, Socket) ?? text;
        if (!path.StartsWith('/'))
        {
            throw Bad(text, $"write {Socket}/PATH, or on Windows {Pipe}NAME");
        }

        return Encoding.UTF8.GetByteCount(path) <= MaxSocketPath
            ? new ContainerdAddress(IsPipe: false, path)
            : throw Bad(text, $"the path of a socket has at most {MaxSocketPath} bytes");
    }

    public override string ToString() => (IsPipe ? Pipe : Socket) + Path;

    private static ContainerdAddress OfPipe(string text, string name) => name switch
    {
        "" => throw Bad(text, "it names no pipe"),
        { Length: > MaxPipeName } => throw Bad(text, $"the name of a pipe has at most {MaxPipeName} characters"),
        _ when name.Contains('\\', StringComparison.Ordinal) => throw Bad(text, @"the name of a pipe has no '\'"),
        _ => new ContainerdAddress(IsPipe: true, name),
    };

    private static string? After(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : null;

    private static InvalidDataException Bad(string text, string problem) => new($"'{Printable.Of(text)}' is not an address of containerd: {problem}");
}
