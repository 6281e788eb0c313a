using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The regions of a CIM by index, its parents' first. Region files are opened on first use; metadata is read through a cache.
/// </summary>
internal sealed class CimRegions : IDisposable
{
    private readonly Region[] _regions;

    /// <param name="sets">Region sets in index order: the parents', then the CIM's own.</param>
    /// <param name="files">File sets to search, in order.</param>
    public CimRegions(IReadOnlyList<RegionSet> sets, IReadOnlyList<IFileSet> files) =>
        _regions = [.. sets.SelectMany(set => Enumerable.Range(0, set.Count).Select(i => new Region(set, i, files, isOwn: set == sets[^1])))];

    public int Count => _regions.Length;

    /// <summary>Opens and describes all regions.</summary>
    public IEnumerable<CimRegion> Describe() => _regions.Select((region, i) => new CimRegion(i, region.Name, region.File.Length, region.Type));

    public void Read(RegionOffset offset, Span<byte> destination)
    {
        var region = Of(offset);
        try
        {
            region.File.ReadAt(offset.Offset, destination);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"region {offset.Region} ('{region.Name}'): {e.Message}", e);
        }
    }

    /// <summary>Throws if the range does not lie in its region; called before anything is allocated for it.</summary>
    public void Check(RegionOffset offset, long count)
    {
        var region = Of(offset);
        try
        {
            region.File.CheckRange(offset.Offset, count);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"region {offset.Region} ('{region.Name}'): {e.Message}", e);
        }
    }

    /// <summary>Length of the region file that the offset refers to.</summary>
    public long LengthOf(RegionOffset offset) => Of(offset).File.Length;

    public void Dispose()
    {
        foreach (var region in _regions)
        {
            region.Dispose();
        }
    }

    private Region Of(RegionOffset offset)
    {
        if (offset.IsNull || offset.Region >= _regions.Length || offset.Offset < CimFormat.RegionHeaderSize)
        {
            throw new InvalidDataException($"offset {offset} lies in no region: there are {_regions.Length}");
        }

        return _regions[offset.Region];
    }

    private sealed class Region(RegionSet set, int index, IReadOnlyList<IFileSet> files, bool isOwn) : IDisposable
    {
        private IRandomReader? _file;

        public string Name => CimFormat.RegionName(set.Id, index);

        /// <summary>Valid once the file is open.</summary>
        public RegionType Type { get; private set; }

        public IRandomReader File => _file ??= Open();

        public void Dispose() => _file?.Dispose();

        private IRandomReader Open()
        {
            foreach (var candidate in files)
            {
                if (candidate.TryOpen(Name) is { } file)
                {
                    return Checked(file);
                }
            }

            throw new InvalidDataException(
                isOwn ? $"its own region file '{Name}' is missing" : $"region file '{Name}' is missing: name the files of the CIMs that this one was made from (--source)");
        }

        private IRandomReader Checked(IRandomReader file)
        {
            try
            {
                var header = CimHeaderReader.ReadRegion(file);
                if (header.Index != index)
                {
                    throw new InvalidDataException($"region file '{Name}' says it is number {header.Index} of its set");
                }

                Type = header.Type;

                // Data is read once, front to back; metadata in many small reads all over the region.
                return header.Type == RegionType.Metadata ? new ChunkCache(file) : file;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }
}

/// <summary>A region of a CIM.</summary>
/// <param name="Index">Its index in region offsets, which count parents' regions first.</param>
/// <param name="Name">Name of the region file.</param>
/// <param name="Length">Bytes of the region file.</param>
/// <param name="Type">What it holds.</param>
internal readonly record struct CimRegion(int Index, string Name, long Length, RegionType Type);
