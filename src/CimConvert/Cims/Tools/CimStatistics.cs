using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Tools;

/// <summary>How many entries of each kind a CIM has.</summary>
/// <param name="Files">Files; one with several names counts once.</param>
/// <param name="Directories">Directories, without the root.</param>
/// <param name="Links">Symbolic links, mount points and other reparse points.</param>
/// <param name="HardLinks">Names of files beyond the first.</param>
/// <param name="AlternateStreams">Alternate data streams.</param>
/// <param name="LayerMarks">In the block CIM of a layer: tombstones and merge links.</param>
internal sealed record CimCounts(long Files, long Directories, long Links, long HardLinks, long AlternateStreams, long LayerMarks);

/// <summary>Where the content of a CIM's streams is stored.</summary>
/// <param name="Total">Bytes of all streams; a file with several names counts once.</param>
/// <param name="Sparse">Of the total, bytes of sparse streams: only zeros, which are not stored.</param>
/// <param name="InParents">Of the total, bytes stored in regions of parents or sources.</param>
/// <param name="Own">Of the total, bytes stored in the CIM's own regions.</param>
/// <param name="Stored">Bytes that these take in its own regions: less than <see cref="Own"/> if streams share content.</param>
internal sealed record CimContent(long Total, long Sparse, long InParents, long Own, long Stored)
{
    /// <summary>Bytes that are not stored again because the same content is stored already.</summary>
    public long Deduplicated => Own - Stored;
}

/// <summary>Counts a CIM's entries, and how their content is stored.</summary>
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

    /// <exception cref="InvalidDataException">The CIM is inconsistent.</exception>
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
