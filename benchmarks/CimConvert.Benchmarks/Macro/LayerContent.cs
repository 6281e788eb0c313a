using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;

namespace CimConvert.Benchmarks.Macro;

/// <summary>
/// What the layers hold: the PE files of the .NET SDK, again and again until there are enough, and small files cut from its texts.
/// Some bytes of each page are seeded, so no two files are equal, which would be stored once, while all compress as they are.
/// The same SDK gives the same bytes.
/// </summary>
/// <param name="peBytes">Bytes of PE files, at least; the last one is whole.</param>
/// <param name="smallFiles">Number of small files, of 200 to 6,700 bytes.</param>
internal sealed class LayerContent(long peBytes, int smallFiles)
{
    private const int PageSize = 4096;
    private const int SeededInPage = 8;
    private const int SmallestFile = 200;
    private const int LargestFile = 6_700;
    private const int FilesInDirectory = 200;
    private const int CorpusSize = 64 * 1024 * 1024;

    private static readonly string[] s_texts = [".xml", ".json", ".targets", ".props"];

    /// <summary>Three up from the runtime's libraries: shared/Microsoft.NETCore.App/VERSION.</summary>
    private static readonly string s_sdk = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));

    /// <summary>Writes one of several layers that together hold everything once, and are about as large as each other.</summary>
    public void WriteTar(Stream to, int part, int parts)
    {
        var layer = new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }.Directory("Files");
        var directories = new HashSet<string>(StringComparer.Ordinal);
        var filled = new long[parts];
        foreach (var (path, size, open) in PeFiles().Concat(SmallFiles()))
        {
            var emptiest = Array.IndexOf(filled, filled.Min());
            filled[emptiest] += size;
            if (emptiest != part)
            {
                continue;
            }

            for (var slash = path.IndexOf('/', "Files/".Length); slash > 0; slash = path.IndexOf('/', slash + 1))
            {
                if (directories.Add(path[..slash]))
                {
                    layer.Directory(path[..slash]);
                }
            }

            layer.File(path, size, open);
        }

        layer.WriteTo(to);
    }

    private IEnumerable<(string Path, long Size, Func<Stream> Open)> PeFiles()
    {
        var files = SdkFiles().Where(file => Path.GetExtension(file) == ".dll").OrderBy(Shuffled, StringComparer.Ordinal).ToArray();
        var total = 0L;
        for (var i = 0; total < peBytes; i++)
        {
            var (file, number) = (files[i % files.Length], i);
            var size = new FileInfo(file).Length;
            total += size;
            yield return ($"Files/Windows/System32/{number / FilesInDirectory}/{number}-{Path.GetFileName(file)}", size, () => Varied(file, number));
        }
    }

    private IEnumerable<(string Path, long Size, Func<Stream> Open)> SmallFiles()
    {
        var corpus = new Lazy<byte[]>(ReadCorpus);
        for (var i = 0; i < smallFiles; i++)
        {
            var seeds = SeededContent.Bytes(i, 2 * sizeof(uint));
            var size = SmallestFile + (int)(BinaryPrimitives.ReadUInt32LittleEndian(seeds) % (LargestFile - SmallestFile));
            var number = i;
            yield return ($"Files/ProgramData/App/{i / FilesInDirectory}/{i}.xml", size, () =>
            {
                var at = (int)(BinaryPrimitives.ReadUInt32LittleEndian(seeds.AsSpan(sizeof(uint))) % (corpus.Value.Length - size));
                return new MemoryStream(Vary(corpus.Value.AsSpan(at, size).ToArray(), number));
            }
            );
        }
    }

    private static IEnumerable<string> SdkFiles() => Directory.EnumerateFiles(s_sdk, "*", SearchOption.AllDirectories);

    /// <summary>An order that mixes folders, so that a small layer is like a large one.</summary>
    private static string Shuffled(string file) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetRelativePath(s_sdk, file))));

    private static byte[] ReadCorpus()
    {
        using var corpus = new MemoryStream();
        foreach (var file in SdkFiles().Where(file => s_texts.Contains(Path.GetExtension(file))).OrderBy(Shuffled, StringComparer.Ordinal))
        {
            corpus.Write(File.ReadAllBytes(file));
            if (corpus.Length > CorpusSize)
            {
                break;
            }
        }

        return corpus.ToArray();
    }

    private static MemoryStream Varied(string file, int seed) => new(Vary(File.ReadAllBytes(file), seed));

    private static byte[] Vary(byte[] content, int seed)
    {
        for (var page = 0; page < content.Length; page += PageSize)
        {
            var length = Math.Min(PageSize, content.Length - page);
            var bytes = SeededContent.Bytes(HashCode(seed, page), SeededInPage + sizeof(uint));
            var at = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(SeededInPage)) % (uint)Math.Max(1, length - SeededInPage);
            bytes.AsSpan(0, Math.Min(SeededInPage, length)).CopyTo(content.AsSpan(page + (int)at));
        }

        return content;
    }

    private static int HashCode(int seed, int page) => unchecked((seed * 1_000_003) + (page / PageSize));
}
