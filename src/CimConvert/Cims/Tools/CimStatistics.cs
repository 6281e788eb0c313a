using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Tools;

/// <summary>How many entries of each kind a CIM has.</summary>
/// <param name="Files">Files, each once whatever its names.</param>
/// <param name="Directories">Directories, the root not counted.</param>
/// <param name="Links">Symbolic links, mount points and other reparse points.</param>
/// <param name="HardLinks">Names of files beyond the first.</param>
/// <param name="AlternateStreams">Streams of files beside their main one.</param>
/// <param name="LayerMarks">In a block layer's CIM: removed paths, and links to files of lower layers.</param>
internal sealed record CimCounts(long Files, long Directories, long Links, long HardLinks, long AlternateStreams, long LayerMarks);

/// <summary>Where the bytes of a CIM's streams are.</summary>
/// <param name="Total">Bytes of all streams, each file once.</param>
/// <param name="Sparse">Of those, bytes of streams of nothing but zeros, which are not stored.</param>
/// <param name="InParents">Of those, bytes that lie in regions of parents or sources.</param>
/// <param name="Own">Of those, bytes whose content lies in the CIM's own regions.</param>
/// <param name="Stored">Bytes of its own regions that they take: less than <see cref="Own"/> where streams share content.</param>
internal sealed record CimContent(long Total, long Sparse, long InParents, long Own, long Stored)
{
    /// <summary>Bytes that are not stored because the same content is stored already.</summary>
    public long Deduplicated => Own - Stored;
}

/// <summary>Counts what a CIM holds and how it is stored.</summary>
internal sealed class CimStatistics
{
    private readonly CimReader _cim;
    private readonly HashSet<uint> _files = [];
    private readonly HashSet<CimStream> _stored = [];
    private long _directories;
    private long _links;
    private long _names;
    private long _streams;
    private long _marks;
    private long _total;
    private long _sparse;
    private long _inParents;
    private long _own;

    private CimStatistics(CimReader cim) => _cim = cim;

    /// <exception cref="InvalidDataException">The CIM does not hold together.</exception>
    public static (CimCounts Counts, CimContent Content) Count(CimReader cim, CancellationToken cancellationToken)
    {
        var statistics = new CimStatistics(cim);
        foreach (var (_, entry) in CimWalk.Below(cim, CimPath.Root, cim.Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            statistics.Add(entry);
        }

        return (statistics.Counts, statistics.Content);
    }

    private CimCounts Counts => new(_files.Count, _directories, _links, _names - _files.Count, _streams, _marks);

    private CimContent Content => new(_total, _sparse, _inParents, _own, _stored.Sum(stream => stream.Length));

    private void Add(CimEntry entry)
    {
        switch (CimListing.TypeOf(entry))
        {
            case CimEntryType.Directory:
                _directories++;
                break;
            case CimEntryType.Tombstone or CimEntryType.MergeLink:
                _marks++;
                return;
            case CimEntryType.File:
                _names++;
                if (!_files.Add(entry.FileId))
                {
                    return;
                }

                Add(entry.Data);
                break;
            default:
                _links++;
                break;
        }

        foreach (var stream in _cim.AlternateStreams(entry))
        {
            _streams++;
            Add(stream.Stream);
        }
    }

    private void Add(CimStream stream)
    {
        _total += stream.Length;
        if (stream.IsSparse)
        {
            _sparse += stream.Length;
        }
        else if (stream.Length > 0 && stream.Data.Region < _cim.FirstOwnRegion)
        {
            _inParents += stream.Length;
        }
        else if (stream.Length > 0)
        {
            _own += stream.Length;
            _stored.Add(stream);
        }
    }
}
