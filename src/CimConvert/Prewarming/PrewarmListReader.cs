using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Sources;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace CimConvert.Prewarming;

/// <summary>Thrown for an invalid list file. The message starts with the file's path, line and column.</summary>
internal sealed class PrewarmListException(string message, Exception? cause = null) : ConversionException(message, cause);

/// <summary>
/// Reads a list file (docs/prewarm.md). <c>configs/prewarm.schema.json</c> describes the same format for editors. Relative paths are
/// relative to the working directory, as on the command line.
/// </summary>
internal sealed class PrewarmListReader
{
    /// <summary>Enough for about 20,000 images.</summary>
    public const int MaxBytes = 4 << 20;

    private const int MaxDepth = 16;
    private const int MaxConcurrency = 64;
    private const int MaxRetries = 10_000;

    private readonly string _file;
    private readonly YamlSection _root;
    private readonly YamlSection? _defaults;
    private readonly string? _hostVersion;

    private PrewarmListReader(string file, YamlNode root, string? hostVersion)
    {
        _file = file;
        _hostVersion = hostVersion;
        _root = YamlSection.Of(file, root, "a list of images");
        _defaults = _root.Section("defaults");
    }

    /// <param name="file">Path of the list.</param>
    /// <param name="store">Overrides the store that the list names, unless null.</param>
    /// <param name="isInto">Whether the images go into containerd, whatever the list says.</param>
    /// <param name="hostVersion">The version of this Windows; null on another system.</param>
    /// <exception cref="PrewarmListException">The list is invalid; the message says where.</exception>
    public static PrewarmList Read(string file, string? store = null, bool isInto = false, string? hostVersion = null)
    {
        var size = new FileInfo(file).Length;
        return size <= MaxBytes ? Parse(file, File.ReadAllText(file), store, isInto, hostVersion) : throw new PrewarmListException($"'{file}' has {size} bytes, more than the {MaxBytes} allowed");
    }

    internal static PrewarmList Parse(string file, string text, string? store = null, bool isInto = false, string? hostVersion = null)
    {
        try
        {
            CheckDepth(file, text);
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents.Count == 1
                ? new PrewarmListReader(file, yaml.Documents[0].RootNode, hostVersion).Read(store, isInto)
                : throw new PrewarmListException($"{file}:1:1: {(yaml.Documents.Count == 0 ? "the list is empty" : "there is more than one document")}");
        }
        catch (YamlException e)
        {
            throw YamlSection.Bad(file, e.Start, Printable.Of(e.InnerException?.Message ?? e.Message), e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or NullReferenceException)
        {
            // YamlDotNet throws these on damaged files.
            throw YamlSection.Bad(file, Mark.Empty, $"it is no YAML ({Printable.Of(e.Message)})", e);
        }
    }

    /// <summary>YamlDotNet builds nodes recursively, so the depth is limited first, event by event, before the stack can overflow.</summary>
    private static void CheckDepth(string file, string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (parser.Current is AnchorAlias)
            {
                throw YamlSection.Bad(file, parser.Current.Start, "aliases are not supported: put what images share under 'defaults'");
            }

            if (depth > MaxDepth)
            {
                throw YamlSection.Bad(file, parser.Current.Start, $"nested more than {MaxDepth} deep");
            }
        }
    }

    private PrewarmList Read(string? store, bool isInto)
    {
        var registries = _root.Section("registries");
        var concurrency = _root.Section("concurrency");
        var disk = _root.Section("disk");
        var limits = _root.Section("limits");
        if (store is null && !isInto && _root.Find("store") is not null && _root.Find("into") is not null)
        {
            throw _root.Bad("into", "and 'store' name two places: leave one out");
        }

        var into = store is null ? ReadInto() : null;
        isInto |= into is not null;
        var list = new PrewarmList
        {
            Store = isInto ? null : store ?? _root.RequiredText("store"),
            Into = into,
            Images = ReadImages(),
            HostVersion = _hostVersion,
            Registries = new PrewarmRegistries
            {
                HostsDir = registries?.Text("hostsDir"),
                CertDir = registries?.Text("certDir"),
                PlainHttp = registries?.Flag("plainHttp"),
                StallTimeout = registries?.ReadValue("stallTimeout", Quantities.ParseDuration),
            },
            Concurrency = new PrewarmConcurrency
            {
                Images = concurrency?.Number("images", 1, MaxConcurrency) ?? new PrewarmConcurrency().Images,
                Downloads = concurrency?.Number("downloads", 1, MaxConcurrency) ?? new PrewarmConcurrency().Downloads,
                Imports = concurrency?.Number("imports", 1, MaxConcurrency) ?? new PrewarmConcurrency().Imports,
            },
            Disk = new PrewarmDisk { MinFree = disk?.ReadValue("minFree", Quantities.ParseSize), MaxStore = disk?.ReadValue("maxStore", Quantities.ParseSize) },
            Bandwidth = _root.ReadValue("bandwidth", ParseBandwidth),
            Window = _root.Read("window", DailyWindow.Parse),
        };
        list = list with
        {
            Limits = new InputLimits
            {
                MaxLayerSize = limits?.ReadValue("layerSize", InputLimits.ParseLayerSize) ?? list.Limits.MaxLayerSize,
                MaxExpansion = limits?.Number("expansion", 1, int.MaxValue) ?? list.Limits.MaxExpansion,
                MaxEntries = limits?.Number("entries", 1, int.MaxValue) ?? list.Limits.MaxEntries,
            },
            RetryBudget = _root.Number("retryBudget", 0, MaxRetries) ?? list.RetryBudget,
            KeepGoing = _root.Flag("keepGoing") ?? list.KeepGoing,
            SkipPushed = _root.Flag("skipPushed") ?? list.SkipPushed,
        };
        if (isInto)
        {
            RefuseStoreSettings(list);
        }

        // Known, also where the command line names another place.
        _root.Find("store");
        _root.Find("into");
        foreach (var section in (YamlSection?[])[registries, concurrency, disk, limits, _root])
        {
            section?.RefuseOthers();
        }

        return list;
    }

    private IntoContainerd? ReadInto()
    {
        if (_root.Section("into") is not { } place)
        {
            return null;
        }

        var containerd = place.Section("containerd") ?? throw _root.Bad("into", "names no place: it has the key 'containerd'");
        var common = new IntoContainerd();
        var into = new IntoContainerd
        {
            Address = containerd.Read("address", ContainerdAddress.Parse) ?? common.Address,
            Namespace = containerd.Text("namespace") ?? common.Namespace,
            Snapshotter = containerd.Read("snapshotter", ParseSnapshotter) ?? common.Snapshotter,
            State = containerd.Text("state") ?? common.State,
            Pin = containerd.Flag("pin") ?? common.Pin,
            LayerBlobs = containerd.Flag("layerBlobs") ?? common.LayerBlobs,
        };
        containerd.RefuseOthers();
        place.RefuseOthers();
        return into;
    }

    /// <summary>What says how a store's layers are made would have no effect: the snapshotter's own settings decide.</summary>
    private void RefuseStoreSettings(PrewarmList list)
    {
        if (list.Images.FirstOrDefault(image => IsForStore(image)) is { } image)
        {
            throw YamlSection.Bad(_file, Mark.Empty, $"{image.Location} has integrity, vhdFooter, push or subject, which are for a store: images that go into containerd have none of them");
        }

        if (list.Images.FirstOrDefault(image => image.HasVersions) is { } several)
        {
            throw YamlSection.Bad(_file, Mark.Empty, $"{several.Location} has several osVersions, which are for a store: pods run the one that fits this Windows");
        }

        if (list.Disk.MaxStore is not null || list.SkipPushed)
        {
            throw YamlSection.Bad(
                _file, Mark.Empty, $"{(list.SkipPushed ? "skipPushed" : "disk.maxStore")} is for a store, which images that go into containerd do without");
        }
    }

    private static bool IsForStore(PrewarmImage image) =>
        image.Integrity || image.VhdFooter || image.Push is not null || image.Subject;

    private static string ParseSnapshotter(string text) => text is SnapshotterChoice.Auto or SnapshotterChoice.CimFs or SnapshotterChoice.BlockCim
        ? text
        : throw new InvalidDataException($"there is no snapshotter '{Printable.Of(text)}': {SnapshotterChoice.Auto}, {SnapshotterChoice.CimFs} or {SnapshotterChoice.BlockCim}");

    private static long ParseBandwidth(string text)
    {
        const string perSecond = "/s";
        var bytes = Quantities.ParseSize(text.EndsWith(perSecond, StringComparison.Ordinal) ? text[..^perSecond.Length] : text);
        return bytes > 0 ? bytes : throw new InvalidDataException("nothing would ever be downloaded");
    }

    private List<PrewarmImage> ReadImages()
    {
        var images = new List<PrewarmImage>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in _root.List("images"))
        {
            var (image, versions) = node is YamlMappingNode ? ReadImage(YamlSection.Of(_file, node, "an image")) : ReadImage(node);
            if (!names.Add(image.Location.ToString()))
            {
                throw YamlSection.Bad(_file, node.Start, $"{image.Location} is in the list already");
            }

            if (images.Count > 0 && (image.Integrity, image.VhdFooter, image.Backend) != (images[0].Integrity, images[0].VhdFooter, images[0].Backend))
            {
                throw YamlSection.Bad(
                    _file, node.Start, $"{image.Location} differs from the images before it in integrity, vhdFooter or backend, and would convert again the layers that they share; give it a list and a store of its own");
            }

            images.Add(versions.Of(image));
        }

        if (images.Count == 0)
        {
            throw _root.Bad("images", "has no entry");
        }

        _defaults?.RefuseOthers();
        return images;
    }

    /// <summary>Reads an entry that is a plain string: the image's name.</summary>
    private (PrewarmImage Image, PrewarmVersions Versions) ReadImage(YamlNode node)
    {
        try
        {
            return ReadImage(ImageLocation.Parse(YamlSection.TextOf(_file, node, "an image")), section: null);
        }
        catch (InvalidDataException e)
        {
            throw YamlSection.Bad(_file, node.Start, e.Message, e);
        }
    }

    private (PrewarmImage Image, PrewarmVersions Versions) ReadImage(YamlSection section)
    {
        section.RequiredText("image");
        var image = ReadImage(section.Read("image", ImageLocation.Parse)!, section);
        section.RefuseOthers();
        return image;
    }

    private (PrewarmImage Image, PrewarmVersions Versions) ReadImage(ImageLocation location, YamlSection? section) => (new PrewarmImage
    {
        Location = location,
        Platform = Value(section, "platform", (s, key) => s.Read(key, Platform.Parse)) ?? Platform.Parse("windows/amd64"),
        Integrity = Value(section, "integrity", (s, key) => s.Flag(key)) ?? false,
        VhdFooter = Value(section, "vhdFooter", (s, key) => s.Flag(key)) ?? false,
        Backend = Value(section, "backend", (s, key) => s.Read(key, ParseBackend)) ?? CimBackends.Auto,
        Converted = ConvertedPreferences.Read(section, _defaults),
        From = Value(section, "from", (s, key) => s.Read(key, template => new NameTemplate(template).For(location))),
        Push = Value(section, "push", (s, key) => s.Read(key, template => new NameTemplate(template).For(location))),
        Subject = Value(section, "subject", (s, key) => s.Flag(key)) ?? false,
    }, PrewarmVersions.Read(section, _defaults, _hostVersion));

    /// <summary>The value of the image's own section, else of <c>defaults</c>.</summary>
    private T? Value<T>(YamlSection? section, string key, Func<YamlSection, string, T?> read)
    {
        var common = _defaults?.Find(key);
        return section?.Find(key) is not null ? read(section, key) : common is not null ? read(_defaults!, key) : default;
    }

    private static string ParseBackend(string text) => text is CimBackends.Auto or CimBackends.Native or CimBackends.Managed
        ? text
        : throw new InvalidDataException($"there is no back end '{Printable.Of(text)}': {CimBackends.Auto}, {CimBackends.Native} or {CimBackends.Managed}");
}
