using System.Net.Sockets;
using System.Runtime.Versioning;
using CimConvert.Cli.Differ;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>Only the differ's user may connect, and nothing is removed that is not a socket which was left.</summary>
[Platform(Exclude = "Win", Reason = "rights of Unix")]
[UnsupportedOSPlatform("windows")]
public class DifferSocketTests
{
    private const UnixFileMode ForUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Test]
    public void A_socket_is_for_its_user_alone()
    {
        using TempFolder folder = new();
        using var socket = DifferSocket.Bind(new UnixDomainSocketEndPoint(folder["d.sock"]));
        Assert.That(File.GetUnixFileMode(folder["d.sock"]), Is.EqualTo(ForUser));
    }

    [Test]
    public void A_socket_that_was_left_is_removed_and_one_in_use_is_not()
    {
        using TempFolder folder = new();
        var path = folder["d.sock"];
        using (Socket used = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            used.Bind(new UnixDomainSocketEndPoint(path));
            used.Listen();
            Assert.That(() => DifferSocket.Prepare(path), Throws.TypeOf<ConversionException>().With.Message.Contains("another program listens"));
        }

        using Socket left = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        left.Bind(new UnixDomainSocketEndPoint(path));
        DifferSocket.Prepare(path);
        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public void Other_files_stay()
    {
        using TempFolder folder = new();
        var file = folder.Write("d.sock", [1]);
        Assert.That(() => DifferSocket.Prepare(file), Throws.TypeOf<ConversionException>().With.Message.Contains("not a socket that was left"));
        Assert.That(() => DifferSocket.Prepare(folder.Path), Throws.TypeOf<ConversionException>());
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void A_folder_where_others_may_write_is_refused_unless_files_there_are_their_owners()
    {
        using TempFolder folder = new();
        var shared = folder.Sub("shared");
        var path = Path.Combine(shared, "d.sock");
        const UnixFileMode all = (UnixFileMode)0b111_111_111;
        File.SetUnixFileMode(shared, all);
        Assert.That(() => DifferSocket.Prepare(path), Throws.TypeOf<ConversionException>().With.Message.Contains("others may write"));
        File.SetUnixFileMode(shared, all | UnixFileMode.StickyBit);
        Assert.That(() => DifferSocket.Prepare(path), Throws.Nothing);
        Assert.That(() => DifferSocket.Prepare(folder["none", "d.sock"]), Throws.TypeOf<ConversionException>().With.Message.Contains("no folder"));
    }
}
