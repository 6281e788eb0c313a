using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;

namespace CimConvert.Layers.UtilityVm;

/// <summary>
/// What a boot CIM is made of: which entries of a base layer's tar go where in it. A link of the utility VM may lead, over other
/// links, to a file outside its folder that came long before; so the tar is read once for this plan, without its data, and once
/// more by <see cref="UtilityVmImport"/>.
/// </summary>
/// <remarks>
/// Which files are copied and which stay links is as in hcsshim's pkg/extractuvm; unlike there, links may come before their
/// targets, and of entries repeated in one tar the last wins, as in every import here.
/// </remarks>
internal sealed class UtilityVmPlan
{
    private readonly LayerTree _tree;

    /// <summary>The utility VM's entries in tar order, those included whose name a later one takes.</summary>
    private readonly List<Member> _members = [];

    /// <summary>By the numbers of all the layer's links.</summary>
    private readonly Dictionary<int, CimPath> _targets = [];

    /// <summary>The numbers of the files that links lead to, by the links' own, as far as they are known.</summary>
    private readonly Dictionary<int, int> _files = [];

    /// <summary>Of the utility VM's directories, by their entries' numbers.</summary>
    private readonly Dictionary<int, CimFileMetadata> _metadata = [];

    private readonly Dictionary<int, CimPath> _places = [];
    private readonly List<(CimPath Path, CimFileMetadata Metadata)> _directories = [];
    private readonly List<(CimPath Path, CimPath Target)> _links = [];
    private readonly SecurityDescriptors _descriptors = new();

    private UtilityVmPlan(InputLimits limits) => (Limits, _tree) = (limits, new LayerTree(limits));

    /// <summary>What the layer may take.</summary>
    internal InputLimits Limits { get; }


    /// <summary>How many entries the boot CIM takes, but for links.</summary>
    internal int PlaceCount => _places.Count;

    /// <summary>
    /// Directories in tar order, which go first: copies come earlier in the tar than the directories they lie in, and Windows'
    /// writer does not say what it does with a directory that was made for a file before.
    /// </summary>
    internal IReadOnlyList<(CimPath Path, CimFileMetadata Metadata)> Directories => _directories;

    /// <summary>Links of the boot CIM, in tar order, each to a file that has a place.</summary>
    internal IReadOnlyList<(CimPath Path, CimPath Target)> Links => _links;

    /// <summary>Reads an uncompressed tar to its end.</summary>
    /// <exception cref="LayerImportException">The layer has no utility VM, or an entry that cannot be in a boot CIM.</exception>
    /// <exception cref="InvalidDataException">The tar itself is malformed.</exception>
    public static UtilityVmPlan Read(Stream tar, InputLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        var plan = new UtilityVmPlan(limits);
        NumberedEntries.ForEach(tar, plan.Take, cancellationToken);
        plan.Decide();
        return plan;
    }

    /// <summary>Where in the boot CIM an entry goes that is no link, if anywhere.</summary>
    internal bool TryGetPlace(int number, out CimPath place) => _places.TryGetValue(number, out place);

    private void Take(TarReader tar, int number)
    {
        var name = EntryName.Parse(tar.Name, tar.Type == TarEntryType.RegularFile);
        var isInside = UtilityVmFolder.TryEnter(name.Path, out var place);
        switch (name.Kind)
        {
            case EntryNameKind.AlternateStream:
                return;
            case EntryNameKind.Whiteout or EntryNameKind.OpaqueWhiteout when isInside:
                throw new InvalidDataException("a whiteout, which only layers with parents have: a boot CIM is made from a base layer");
            case EntryNameKind.Plain when !name.Path.IsRoot:
                break;
            default:
                return;
        }

        var isLink = tar.Type == TarEntryType.HardLink;
        if (isLink)
        {
            var target = CimPath.Parse(tar.LinkName);
            _tree.CountTarget(target);
            _targets.Add(number, target);
        }

        var isDirectory = tar.Type == TarEntryType.Directory;
        _tree.Claim(name.Path, isDirectory, IsLinkable(tar), isInCim: true, number);
        if (!isInside)
        {
            return;
        }

        if (!place.IsRoot)
        {
            _members.Add(new Member(name.Path, place, number, tar.HeaderOffset, isLink));
            if (isDirectory)
            {
                _metadata.Add(number, EntryMetadata.Read(tar, _descriptors));
            }
        }
        else if (!isDirectory)
        {
            throw new InvalidDataException($"'{UtilityVmFolder.FilesPath}' is not a directory");
        }
    }

    /// <summary>As <see cref="CimLayerWriter"/> has it: a link to a directory counts as one, and directories have one name only.</summary>
    private bool IsLinkable(TarReader tar) => tar.Type switch
    {
        TarEntryType.RegularFile or TarEntryType.HardLink => true,
        TarEntryType.Directory => false,
        TarEntryType.SymbolicLink => !EntryMetadata.Read(tar, _descriptors).IsDirectory,
        _ => throw EntryMetadata.NotOnWindows(tar),
    };

    private void Decide()
    {
        if (_members.Count == 0)
        {
            throw new LayerImportException($"the layer has no files in '{UtilityVmFolder.FilesPath}': only base layers with a utility VM do");
        }

        var last = _members.Where(member => _tree.TryGet(member.Path, out var entry) && entry.Pending == member.Number).ToList();
        foreach (var member in last.Where(member => !member.IsLink))
        {
            _places.Add(member.Number, member.Place);
            if (_metadata.TryGetValue(member.Number, out var metadata))
            {
                _directories.Add((member.Place, metadata));
            }
        }

        // The first link to a file outside gets its bytes; the others are links to that one, as the reference does it.
        foreach (var link in last.Where(member => member.IsLink))
        {
            var file = FindFile(link);
            if (_places.TryGetValue(file, out var place))
            {
                _links.Add((link.Place, place));
            }
            else
            {
                _places.Add(file, link.Place);
            }
        }
    }

    /// <summary>Follows a link to the file at its end. Every link is gone over once, however many lead through it.</summary>
    private int FindFile(in Member link)
    {
        var way = new List<int>();
        var seen = new HashSet<int>();
        for (var at = link.Number; ;)
        {
            if (_files.TryGetValue(at, out var known))
            {
                return Settle(way, known);
            }

            if (!seen.Add(at))
            {
                throw Wrong(link, "it leads back to itself");
            }

            way.Add(at);
            var target = _targets[at];
            if (!_tree.TryGet(target, out var entry))
            {
                throw Wrong(link, $"its target '{target}' is not in the layer");
            }

            if (!entry.IsLinkable)
            {
                throw Wrong(link, $"its target '{target}' is a directory, which has one name only");
            }

            if (!_targets.ContainsKey(entry.Pending))
            {
                return Settle(way, entry.Pending);
            }

            at = entry.Pending;
        }
    }

    private int Settle(List<int> way, int file)
    {
        foreach (var link in way)
        {
            _files[link] = file;
        }

        return file;
    }

    private static LayerImportException Wrong(in Member link, string why) => new(link.Path.Value, link.Offset, $"a hard link, and {why}");

    /// <param name="Path">Its path in the layer.</param>
    /// <param name="Place">Its path in the boot CIM.</param>
    /// <param name="Number">Of the tar's entries.</param>
    /// <param name="Offset">Where its header lies in the tar.</param>
    /// <param name="IsLink">Whether it is a hard link.</param>
    private readonly record struct Member(CimPath Path, CimPath Place, int Number, long Offset, bool IsLink);
}
