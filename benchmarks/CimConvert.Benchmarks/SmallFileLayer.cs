using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;

namespace CimConvert.Benchmarks;

/// <summary>A child layer of nothing but small files, 500 to a directory: as a tar, and as the CIM it becomes.</summary>
/// <param name="Name">The directory under <c>Files</c> that holds them all.</param>
/// <param name="Files">How many.</param>
/// <param name="FileSize">Bytes of each; no two have the same.</param>
internal sealed record SmallFileLayer(string Name, int Files, int FileSize)
{
    private const int FilesInDirectory = 500;

    public void WriteTar(Stream to)
    {
        var layer = new LayerBuilder().Directory("Files").Directory($"Files/{Name}");
        for (var i = 0; i < Files; i++)
        {
            if (i % FilesInDirectory == 0)
            {
                layer.Directory($"Files/{Name}/{i / FilesInDirectory}");
            }

            var seed = i;
            layer.File($"Files/{Name}/{i / FilesInDirectory}/{i}.dat", FileSize, () => SeededContent.Stream(seed, FileSize));
        }

        layer.WriteTo(to);
    }

    public byte[] ToTar()
    {
        using var to = new MemoryStream();
        WriteTar(to);
        return to.ToArray();
    }

    /// <summary>Writes the files, without a tar, into a block file that is new.</summary>
    public BlockCim WriteCim(string blockFile)
    {
        const string CimName = "layer.cim";
        using var image = new ManagedBackend().Create(blockFile, CimName, new BlockCimOptions());
        for (var i = 0; i < Files; i++)
        {
            var content = SeededContent.Bytes(i, FileSize);
            image.CreateFile(CimPath.Parse($@"Files\{Name}\{i / FilesInDirectory}\{i}.dat"), SmallFile.Metadata(content.Length, i));
            image.Write(content);
            image.CloseStream();
        }

        image.Commit(CancellationToken.None);
        return new BlockCim(blockFile, CimName);
    }
}

internal static class SmallFile
{
    /// <summary>A day of 2023, as FILETIME.</summary>
    private const long SomeDay = 133_444_800_000_000_000;

    public static CimFileMetadata Metadata(long size, int number) => new()
    {
        Attributes = (uint)System.IO.FileAttributes.Archive,
        Size = size,
        CreationTime = SomeDay + number,
        LastWriteTime = SomeDay,
        ChangeTime = SomeDay,
        LastAccessTime = SomeDay,
        SecurityDescriptor = Descriptors.Administrators,
    };
}
