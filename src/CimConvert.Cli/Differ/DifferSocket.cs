using System.Net;
using System.Net.Sockets;

namespace CimConvert.Cli.Differ;

/// <summary>The Unix socket of a differ, for its own user alone: who may write to it can have files of this user written.</summary>
internal static class DifferSocket
{
    private const UnixFileMode ForUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode ForOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>ENXIO, and EOPNOTSUPP of BSD and macOS: what opening a socket as a file ends with.</summary>
    private static readonly int[] s_isSocket = [6, 102, 45];

    /// <summary>Checks the folder, and removes a socket that a killed differ left.</summary>
    /// <exception cref="ConversionException">Others could replace the socket, somebody listens there, or it is another file.</exception>
    public static void Prepare(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            throw new ConversionException($"there is no folder '{folder}' for the socket; create it, with rights for this user alone");
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(folder) & (ForOthers | UnixFileMode.StickyBit)) is var mode and not 0
            && !mode.HasFlag(UnixFileMode.StickyBit))
        {
            throw new ConversionException($"others may write to the folder '{folder}', and could put their own socket there; use a folder for this user alone");
        }

        if (Path.Exists(path))
        {
            RemoveStale(path);
        }
    }

    /// <summary>Before the socket listens, nobody can connect: by then others have no right to.</summary>
    public static Socket Bind(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(((UnixDomainSocketEndPoint)endPoint).ToString(), ForUser);
            }

            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ConversionException($"cannot listen on '{endPoint}': {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void RemoveStale(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            throw new ConversionException($"another program listens on '{path}'; stop it, or use another address");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
        }
        catch (SocketException e)
        {
            throw new ConversionException($"'{path}' is there already, and is not a socket that was left: {e.Message}", e);
        }
    }

    /// <summary>Of files of any kind, only sockets cannot be opened. Opening for writing does not wait, as it would on a pipe for reading.</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite).Dispose();
            return false;
        }
        catch (IOException e)
        {
            return OperatingSystem.IsWindows() || s_isSocket.Contains(e.HResult);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
