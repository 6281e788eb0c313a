using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace CimConvert.TestKit.Layers;

/// <summary>
/// A Windows layer, entry by entry, in the order of the calls. Entries carry what Microsoft's writer gives them unless
/// told otherwise. Building twice gives the same bytes: times start at a fixed second and advance with each entry.
/// Paths use <c>/</c> and go into the tar as they are.
/// </summary>
public sealed class LayerBuilder
{
    private const long BaseTime = 1_700_000_000;

    private readonly List<Action<TarBuilder>> steps = [];
    private long clock = BaseTime;
    private bool endMarker = true;

    /// <summary>The descriptor of entries that are not given one; null writes none.</summary>
    public byte[]? DefaultSecurityDescriptor { get; init; }

    public LayerBuilder Directory(string path, EntryOptions? options = null) => Add(
        new TarEntrySpec { Name = path + "/", Type = TarTypes.Directory, Mode = 0x1ED },
        FileAttributes.Directory,
        options);

    public LayerBuilder File(string path, byte[] content, EntryOptions? options = null) =>
        File(path, content.Length, () => new MemoryStream(content, writable: false), options);

    public LayerBuilder File(string path, string content, EntryOptions? options = null) =>
        File(path, Encoding.UTF8.GetBytes(content), options);

    /// <summary>A file whose content is opened anew each time the layer is written, and never held.</summary>
    public LayerBuilder File(string path, long size, Func<Stream> open, EntryOptions? options = null) =>
        Add(new TarEntrySpec { Name = path, Size = size }, FileAttributes.Archive, options, open);

    /// <summary>An alternate stream, an entry of its own after its file's.</summary>
    public LayerBuilder AlternateStream(
        string file,
        string stream,
        byte[] content,
        bool withDataSuffix = true,
        EntryOptions? options = null) =>
        File($"{file}:{stream}{(withDataSuffix ? ":$DATA" : "")}", content, options);

    /// <summary>A symbolic link; to a directory when its attributes say so.</summary>
    public LayerBuilder Symlink(string path, string target, EntryOptions? options = null) => Add(
        new TarEntrySpec { Name = path, Type = TarTypes.Symlink, LinkName = target },
        FileAttributes.Archive | FileAttributes.ReparsePoint,
        options);

    public LayerBuilder MountPoint(string path, string target, EntryOptions? options = null) => Add(
        new TarEntrySpec
        {
            Name = path,
            Type = TarTypes.Symlink,
            LinkName = target,
            Pax = [KeyValuePair.Create("MSWINDOWS.mountpoint", "1")],
        },
        FileAttributes.Directory | FileAttributes.ReparsePoint,
        options);

    public LayerBuilder HardLink(string path, string target, EntryOptions? options = null) =>
        Add(new TarEntrySpec { Name = path, Type = TarTypes.HardLink, LinkName = target }, FileAttributes.Archive, options);

    /// <summary>Hides <paramref name="path"/> of the layers below.</summary>
    public LayerBuilder Whiteout(string path)
    {
        int slash = path.LastIndexOf('/');
        return Marker(path[..(slash + 1)] + ".wh." + path[(slash + 1)..]);
    }

    /// <summary>Hides everything the layers below have in <paramref name="directory"/>.</summary>
    public LayerBuilder OpaqueWhiteout(string directory) => Marker(directory + "/.wh..wh..opq");

    /// <summary>The five hives every base layer has; bytes by name, or seeded ones that are no real hives.</summary>
    public LayerBuilder BaseHives(Func<string, byte[]>? content = null) =>
        Hives("Files/Windows/System32/config/", ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"], content);

    /// <summary>The delta hives of a child layer, without the <c>Hives</c> directory entry.</summary>
    public LayerBuilder DeltaHives(Func<string, byte[]>? content = null) => Hives(
        "Hives/",
        ["SYSTEM_DELTA", "SOFTWARE_DELTA", "SAM_DELTA", "SECURITY_DELTA", "DEFAULTUSER_DELTA"],
        content);

    public LayerBuilder GlobalPax(params KeyValuePair<string, string>[] records)
    {
        steps.Add(tar => tar.GlobalPax(records));
        return this;
    }

    /// <summary>An entry exactly as specified: for archives that no good writer would make.</summary>
    public LayerBuilder Raw(TarEntrySpec entry, byte[]? content = null)
    {
        steps.Add(tar => tar.Add(entry, new MemoryStream(content ?? [], writable: false)));
        return this;
    }

    /// <summary>The archive stops after its last entry, without the two zero blocks.</summary>
    public LayerBuilder WithoutEndMarker()
    {
        endMarker = false;
        return this;
    }

    public void WriteTo(Stream output)
    {
        TarBuilder tar = new(output);
        foreach (Action<TarBuilder> step in steps)
        {
            step(tar);
        }

        if (endMarker)
        {
            tar.End();
        }
    }

    public byte[] ToArray()
    {
        using MemoryStream output = new();
        WriteTo(output);
        return output.ToArray();
    }

    public byte[] ToGzip()
    {
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest, leaveOpen: true))
        {
            WriteTo(gzip);
        }

        return output.ToArray();
    }

    public string WriteFile(string path)
    {
        using FileStream file = System.IO.File.Create(path);
        WriteTo(file);
        return path;
    }

    private static string Seconds(long whole, string fraction) => whole.ToString(CultureInfo.InvariantCulture) + fraction;

    private LayerBuilder Hives(string folder, string[] names, Func<string, byte[]>? content)
    {
        for (int i = 0; i < names.Length; i++)
        {
            File(folder + names[i], content?.Invoke(names[i]) ?? SeededContent.Bytes(7000 + i, 8192));
        }

        return this;
    }

    private LayerBuilder Marker(string path) =>
        Add(new TarEntrySpec { Name = path }, FileAttributes.Normal, new EntryOptions { Plain = true });

    private LayerBuilder Add(TarEntrySpec entry, FileAttributes attributes, EntryOptions? given, Func<Stream>? open = null)
    {
        EntryOptions options = given ?? new EntryOptions();
        long now = clock++;
        TarEntrySpec full = entry with
        {
            ModificationTime = now + 1,
            LongNames = options.LongNames,
            SizeField = options.SizeField,
            Pax = [.. options.Plain ? [] : WindowsRecords(entry, options, attributes, now), .. options.Pax],
        };
        steps.Add(tar =>
        {
            using Stream content = open is null ? Stream.Null : open();
            tar.Add(full, content);
        });
        return this;
    }

    private List<KeyValuePair<string, string>> WindowsRecords(
        TarEntrySpec entry,
        EntryOptions options,
        FileAttributes attributes,
        long now)
    {
        // Four different times, each with a fraction, so that none can be taken for another.
        EntryTimes times = options.Times
            ?? new EntryTimes(Seconds(now + 1, ".1234567"), Seconds(now + 2, ".5"), Seconds(now + 3, ""), Seconds(now, ".0000009"));
        List<KeyValuePair<string, string>> records = [];
        void Put(string key, string? value)
        {
            if (value is not null)
            {
                records.Add(KeyValuePair.Create(key, value));
            }
        }

        Put("mtime", times.Modified);
        Put("atime", times.Accessed);
        Put("ctime", times.Changed);
        Put("LIBARCHIVE.creationtime", times.Created);
        Put("MSWINDOWS.fileattr", ((uint)(options.Attributes ?? attributes)).ToString(CultureInfo.InvariantCulture));
        byte[]? descriptor = options.SecurityDescriptor ?? (options.Sddl is null ? DefaultSecurityDescriptor : null);
        Put("MSWINDOWS.rawsd", descriptor is null ? null : Convert.ToBase64String(descriptor));
        Put("MSWINDOWS.sd", options.Sddl);
        foreach (ExtendedAttribute attribute in options.ExtendedAttributes)
        {
            Put("MSWINDOWS.xattr." + attribute.Name, Convert.ToBase64String(attribute.Value));
        }

        records.AddRange(entry.Pax);
        return records;
    }
}
