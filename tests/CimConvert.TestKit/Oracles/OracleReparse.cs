using System.Buffers.Binary;
using System.Text;

namespace CimConvert.TestKit.Oracles;

/// <summary>REPARSE_DATA_BUFFERs of symbolic links and mount points.</summary>
internal static class OracleReparse
{
    private const uint SymlinkTag = 0xA000000C;
    private const uint MountPointTag = 0xA0000003;
    private const uint RelativeFlag = 1;

    public static byte[] Encode(string tarTarget, OracleKind kind)
    {
        string target = tarTarget.Replace('/', '\\');
        (string ntName, bool relative) = NtName(target);
        byte[] substitute = Encoding.Unicode.GetBytes(ntName + "\0");
        byte[] print = Encoding.Unicode.GetBytes(target + "\0");
        byte[] flags = [];
        if (kind == OracleKind.Symlink)
        {
            flags = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(flags, relative ? RelativeFlag : 0);
        }

        byte[] head = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(head, kind == OracleKind.Symlink ? SymlinkTag : MountPointTag);
        Put(head, 4, head.Length - 8 + flags.Length + substitute.Length + print.Length);
        Put(head, 10, substitute.Length - 2);
        Put(head, 12, substitute.Length);
        Put(head, 14, print.Length - 2);
        return [.. head, .. flags, .. substitute, .. print];
    }

    private static (string Name, bool Relative) NtName(string target)
    {
        if (target.StartsWith(@"\\?\", StringComparison.Ordinal))
        {
            return (@"\??\" + target[4..], false);
        }

        if (target.StartsWith(@"\\", StringComparison.Ordinal))
        {
            return (@"\??\UNC\" + target[2..], false);
        }

        bool drive = target.Length >= 2 && char.IsAsciiLetter(target[0]) && target[1] == ':';
        return drive ? (@"\??\" + target, false) : (target, true);
    }

    private static void Put(byte[] bytes, int offset, int value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), checked((ushort)value));
}
