using System.Buffers;
using System.Buffers.Text;
using CimConvert.Formats.Tar;
using CimConvert.Formats.Windows;

namespace CimConvert.Layers;

/// <summary>
/// Reads an entry's security descriptor. A layer uses the same few descriptors for all its files, so recently decoded ones are cached by
/// their encoded text.
/// </summary>
internal sealed class SecurityDescriptors
{
    private const int CacheSlots = 256;
    private const int MaxCachedText = 8 * 1024;

    private readonly (byte[] Text, byte[] Descriptor)[] _cache = new (byte[], byte[])[CacheSlots];

    /// <exception cref="InvalidDataException">The descriptor is malformed.</exception>
    public ReadOnlyMemory<byte> FromPax(TarReader tar)
    {
        // The raw record takes precedence even if it is empty, as in go-winio's backuptar package.
        if (tar.TryGetPax("MSWINDOWS.rawsd"u8, out var raw))
        {
            return raw.IsEmpty ? SecurityDescriptor.NullDacl : Cached(raw, static text => Decode(text));
        }

        return tar.TryGetPax("MSWINDOWS.sd"u8, out var sddl) && !sddl.IsEmpty ? Cached(sddl, static text => Sddl.Parse(text)) : SecurityDescriptor.NullDacl;
    }

    /// <summary>Base64 contains no ':' and SDDL always does, so both encodings can share the cache.</summary>
    private byte[] Cached(ReadOnlySpan<byte> text, Func<ReadOnlySpan<byte>, byte[]> decode)
    {
        var hash = new HashCode();
        hash.AddBytes(text);
        ref var slot = ref _cache[(uint)hash.ToHashCode() % CacheSlots];
        if (slot.Text is not null && text.SequenceEqual(slot.Text))
        {
            return slot.Descriptor;
        }

        var descriptor = decode(text);
        if (text.Length <= MaxCachedText)
        {
            slot = (text.ToArray(), descriptor);
        }

        return descriptor;
    }

    private static byte[] Decode(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, bytes, out _, out var written) != OperationStatus.Done)
        {
            throw new InvalidDataException("a security descriptor that is not base64");
        }

        return SelfRelativeDescriptor.Validate(bytes.AsSpan(0, written)) is { } why
            ? throw new InvalidDataException($"a security descriptor that {why}")
            : bytes[..written];
    }
}
