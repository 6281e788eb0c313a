using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;

namespace CimConvert.Cims.Tools;

/// <summary>The type of a CIM's entry, as listings name it.</summary>
internal enum CimEntryType
{
    File,
    Directory,
    Symlink,
    MountPoint,

    /// <summary>A reparse point of another kind.</summary>
    Reparse,

    /// <summary>Only in a layer's CIM: the path is removed from lower layers.</summary>
    Tombstone,

    /// <summary>Only in a layer's CIM: a hard link to a file of a lower layer.</summary>
    MergeLink,
}

/// <summary>Describes a CIM's entries as <c>ls</c> shows them.</summary>
internal sealed class CimListing(CimReader cim)
{
    private const int BufferSize = 256 * 1024;

    public static CimEntryType TypeOf(CimEntry entry) =>
        entry.Has(CimFileFlags.Tombstone) ? CimEntryType.Tombstone
        : entry.Has(CimFileFlags.MergeLink) ? CimEntryType.MergeLink
        : entry.ReparseTag switch
        {
            0 => entry.IsDirectory ? CimEntryType.Directory : CimEntryType.File,
            ReparsePoint.SymbolicLinkTag => CimEntryType.Symlink,
            ReparsePoint.MountPointTag => CimEntryType.MountPoint,
            _ => CimEntryType.Reparse,
        };

    /// <summary>The entries at a path: what is in a directory, or else the entry itself.</summary>
    /// <exception cref="InvalidDataException">There is nothing at the path.</exception>
    public IEnumerable<(CimPath Path, CimEntry Entry)> Entries(CimPath path, bool recursive)
    {
        var entry = cim.Find(path, out var spelled) ?? throw new InvalidDataException($"there is no '{path}' in the CIM");
        if (!entry.IsPlainDirectory)
        {
            return [(spelled, entry)];
        }

        return recursive
            ? CimWalk.Below(cim, spelled, entry)
            : cim.Children(entry).Select(child => (spelled.Append(child.Name), child.Entry));
    }

    /// <summary>Writes an entry as a JSON object. Scripts rely on the fields and their order.</summary>
    public void WriteJson(Utf8JsonWriter json, CimPath path, CimEntry entry, bool withHash)
    {
        json.WriteStartObject();
        json.WriteString("path", path.Value);
        json.WriteString("type", TypeOf(entry).ToString().ToLowerInvariant());
        json.WriteNumber("attributes", entry.Attributes);
        json.WriteNumber("size", entry.Size);
        json.WriteNumber("creationTime", entry.CreationTime);
        json.WriteNumber("lastWriteTime", entry.LastWriteTime);
        json.WriteNumber("changeTime", entry.ChangeTime);
        json.WriteNumber("lastAccessTime", entry.LastAccessTime);
        json.WriteString("sd", Convert.ToHexStringLower(cim.SecurityDescriptor(entry)));
        json.WriteString("ea", Convert.ToHexStringLower(cim.ExtendedAttributes(entry)));
        json.WriteString("reparse", Convert.ToHexStringLower(cim.Reparse(entry)));
        json.WriteStartArray("streams");
        foreach (var stream in cim.AlternateStreams(entry))
        {
            json.WriteStartObject();
            json.WriteString("name", stream.Name);
            json.WriteNumber("size", stream.Stream.Length);
            if (withHash)
            {
                json.WriteString("sha256", HashOf(stream.Stream));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("fileId", entry.FileId);
        if (withHash && TypeOf(entry) == CimEntryType.File)
        {
            json.WriteString("sha256", HashOf(entry.Data));
        }

        json.WriteEndObject();
    }

    /// <summary>An entry as a line of text: attributes, size, last write time in UTC, path, and the target of a link.</summary>
    public string Line(CimPath path, CimEntry entry)
    {
        var time = entry.LastWriteTime is > 0 and var ticks && ticks <= DateTime.MaxValue.ToFileTimeUtc()
            ? DateTime.FromFileTimeUtc(ticks).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : "-";
        var note = TypeOf(entry) switch
        {
            CimEntryType.MergeLink => $" => {cim.MergeLinkTarget(entry)}",
            CimEntryType.Symlink or CimEntryType.MountPoint => $" -> {ReparseTarget.Read(cim.Reparse(entry))?.PrintName ?? "?"}",
            CimEntryType.Tombstone => " (removed)",
            _ => string.Empty,
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Letters(entry)} {entry.Size,14} {time,19} {path.Value}{note}");
    }

    private static string Letters(CimEntry entry) => string.Create(6, entry.Attributes, static (letters, attributes) =>
    {
        ReadOnlySpan<(uint Attribute, char Letter)> shown =
        [
            (Win32Attributes.Directory, 'd'), (Win32Attributes.Archive, 'a'), (Win32Attributes.ReadOnly, 'r'),
            (Win32Attributes.Hidden, 'h'), (Win32Attributes.System, 's'), (Win32Attributes.ReparsePoint, 'l'),
        ];
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = (attributes & shown[i].Attribute) != 0 ? shown[i].Letter : '-';
        }
    });

    private string HashOf(CimStream stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var data = cim.OpenStream(stream);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = data.Read(buffer)) > 0;)
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
