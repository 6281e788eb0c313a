using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Windows;

/// <summary>
/// Encodes REPARSE_DATA_BUFFERs of symbolic links and mount points ([MS-FSCC] 2.1.2.4 and 2.1.2.5);
/// <see cref="ReparseTarget"/> decodes them.
/// </summary>
internal static class ReparsePoint
{
    /// <summary>MAXIMUM_REPARSE_DATA_BUFFER_SIZE (Windows SDK, winnt.h); file systems refuse a larger buffer.</summary>
    public const int MaxSize = 16 * 1024;

    /// <summary>IO_REPARSE_TAG_MOUNT_POINT (Windows SDK, winnt.h).</summary>
    public const uint MountPointTag = 0xA0000003;

    /// <summary>IO_REPARSE_TAG_SYMLINK (Windows SDK, winnt.h).</summary>
    public const uint SymbolicLinkTag = 0xA000000C;

    /// <summary>SYMLINK_FLAG_RELATIVE ([MS-FSCC] 2.1.2.4).</summary>
    public const uint RelativeFlag = 1;

    private const int DataLengthOffset = 4;
    private const int HeaderLength = 8;
    private const int NameFieldsLength = 8;
    private const int FlagsLength = 4;

    /// <summary>Encodes a target, which may be written with <c>/</c> or <c>\</c>.</summary>
    /// <exception cref="InvalidDataException">The target is empty or too long for a reparse point.</exception>
    public static byte[] Encode(string target, bool isMountPoint)
    {
        if (target.Length == 0)
        {
            throw new InvalidDataException("a symbolic link without a target");
        }

        var printName = target.Replace('/', '\\');
        var (substituteName, isRelative) = NtName(printName);
        var namesOffset = HeaderLength + NameFieldsLength + (isMountPoint ? 0 : FlagsLength);
        // Each name is followed by a NUL, which its length does not include.
        var printOffset = (substituteName.Length + 1) * sizeof(char);
        var size = namesOffset + printOffset + ((printName.Length + 1) * sizeof(char));
        if (size > MaxSize)
        {
            throw new InvalidDataException($"a link target that makes a reparse point of {size} bytes, more than {MaxSize}");
        }

        var buffer = new byte[size];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, isMountPoint ? MountPointTag : SymbolicLinkTag);
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(DataLengthOffset), (ushort)(size - HeaderLength));
        var fields = buffer.AsSpan(HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(fields, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[2..], (ushort)(substituteName.Length * sizeof(char)));
        BinaryPrimitives.WriteUInt16LittleEndian(fields[4..], (ushort)printOffset);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[6..], (ushort)(printName.Length * sizeof(char)));
        if (!isMountPoint)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(fields[NameFieldsLength..], isRelative ? RelativeFlag : 0);
        }

        WriteName(substituteName, buffer.AsSpan(namesOffset));
        WriteName(printName, buffer.AsSpan(namesOffset + printOffset));
        return buffer;
    }

    private static (string Name, bool IsRelative) NtName(string target)
    {
        if (target.StartsWith(@"\\?\", StringComparison.Ordinal))
        {
            return (@"\??\" + target[4..], false);
        }

        if (target.StartsWith(@"\\", StringComparison.Ordinal))
        {
            return (@"\??\UNC\" + target[2..], false);
        }

        return target.Length >= 2 && char.IsAsciiLetter(target[0]) && target[1] == ':' ? (@"\??\" + target, false) : (target, true);
    }

    private static void WriteName(string name, Span<byte> target)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(name.AsSpan()).CopyTo(target);
            return;
        }

        foreach (var unit in name)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(target, unit);
            target = target[sizeof(char)..];
        }
    }
}
