using System.Globalization;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Servers;

namespace CimConvert.Benchmarks.Macro;

/// <summary>What is compared with what, and the goals the project has set itself.</summary>
internal sealed class Cases(MacroOptions options, LayerImages images, DockerRegistry registry)
{
    private const string InflateAlone = "inflate alone, our decoder";
    private const string FromRegistry = "convert from a registry";
    private const string FromLayout = "convert from an OCI layout";
    private const string ImportFile = "import of the file";

    private readonly string _program = Commands.Quote(options.Program);
    private readonly string _self = Commands.Quote(Environment.ProcessPath!);

    public async Task<IReadOnlyList<Case>> MakeAsync()
    {
        var cases = new List<Case>();
        if (options.Wants("gzip"))
        {
            cases.Add(Gzip());
        }

        if (options.Wants("zstd"))
        {
            cases.Add(Zstd());
        }

        if (options.Wants("layers"))
        {
            cases.AddRange(
                from count in images.LayerCounts
                where count > 1
                from encoding in new[] { LayerCompression.Gzip, LayerCompression.Zstd }
                select Layers(count, encoding));
        }

        if (options.Wants("tar"))
        {
            cases.Add(Tar());
        }

        if (options.Wants("merge"))
        {
            cases.Add(await new MergeData(options, _program).MakeCaseAsync());
        }

        if (options.Wants("pull"))
        {
            cases.Add(await new SharedImages(options, images.Content, registry, _program).MakeCaseAsync());
        }

        if (options.Wants("start"))
        {
            cases.Add(Start());
        }

        if (options.IsLarge && options.Wants("memory"))
        {
            cases.Add(await new LargeLayers(options, _program).MakeCaseAsync());
        }

        return cases;
    }

    /// <summary>A conversion into a store that is not there yet.</summary>
    public string Convert(string reference, string scratch, string more = "") =>
        $"{_program} convert {Commands.Quote(reference)} --output {Commands.Quote(Path.Combine(scratch, "store"))} --quiet {more}";

    private static long SizeOf(string file) => new FileInfo(file).Length;

    private string Import(string file, string scratch) =>
        $"{_program} import {Commands.Quote(file)} --block {Commands.Quote(Path.Combine(scratch, "layer.bcim"))} --parent {Commands.Quote(BaseBlock)} --quiet";

    private string BaseBlock => Path.Combine(options.Data, "base", "base.bcim");

    private Contender Decompressor(string command, string file) => new(command, _ => $"{command} {Commands.Quote(file)}", SizeOf(images.Tar));

    private Contender[] Conversions(LayerCompression encoding, string file)
    {
        var bytes = SizeOf(images.Tar);
        var name = LayerImages.Name(1, encoding);
        return
        [
            new(FromRegistry, scratch => Convert(LayerImages.InRegistry(registry, name), scratch), bytes),
            new(FromLayout, scratch => Convert(images.InLayout(name), scratch), bytes),
            new(ImportFile, scratch => Import(file, scratch), bytes),
        ];
    }

    private Case Gzip() => new(
        "gzip",
        $"One layer of {SizeOf(images.Tar) / 1_000_000} MB, gzip -6 ({SizeOf(images.Gzip) / 1_000_000} MB)",
        [
            new Contender(InflateAlone, _ => $"{_self} inflate {Commands.Quote(images.Gzip)}", SizeOf(images.Tar)),
            Decompressor("igzip -dc", images.Gzip),
            Decompressor("gzip -dc", images.Gzip),
            .. Conversions(LayerCompression.Gzip, images.Gzip),
        ],
        [
            new Ratio(FromRegistry, InflateAlone, 1.15),
            new Ratio(FromRegistry, "igzip -dc", 1.25),
            new Ratio(FromRegistry, "gzip -dc"),
            new Ratio(FromLayout, InflateAlone),
            new Ratio(ImportFile, InflateAlone),
        ]);

    private Case Zstd() => new(
        "zstd",
        $"The same layer, zstd -3 ({SizeOf(images.Zstd) / 1_000_000} MB)",
        [Decompressor("zstd -dc", images.Zstd), .. Conversions(LayerCompression.Zstd, images.Zstd)],
        [new Ratio(FromRegistry, "zstd -dc", 1.6), new Ratio(FromLayout, "zstd -dc"), new Ratio(ImportFile, "zstd -dc")]);

    private Case Layers(int count, LayerCompression encoding)
    {
        const string OneAtATime = "one at a time (--concurrency 1)";
        const string OneCore = "one at a time, on one core (taskset)";
        const string Default = "default concurrency";
        var bytes = SizeOf(images.Tar);
        var name = LayerImages.Name(count, encoding);
        var reference = LayerImages.InRegistry(registry, name);
        return new(
            $"layers-{name}",
            string.Create(CultureInfo.InvariantCulture, $"The same bytes in {count} layers of {bytes / count / 1_000_000} MB, {encoding.ToString().ToLowerInvariant()}, from a registry"),
            [
                new(OneCore, scratch => "taskset -c 0 " + Convert(reference, scratch, "--concurrency 1"), bytes),
                new(OneAtATime, scratch => Convert(reference, scratch, "--concurrency 1"), bytes),
                new(Default, scratch => Convert(reference, scratch), bytes),
            ],
            [
                new Ratio(OneAtATime, Default, count == 4 && encoding == LayerCompression.Gzip ? 1.7 : null, AtLeast: true),
                new Ratio(OneCore, Default),
            ]);
    }

    private Case Tar()
    {
        var (tar, bytes) = (Commands.Quote(images.Tar), SizeOf(images.Tar));
        return new(
            "tar",
            "The same layer, not compressed",
            [
                new(ImportFile, scratch => Import(images.Tar, scratch), bytes),
                new("SHA-256 alone", _ => $"{_self} hash {tar}", bytes),
                new("cp", scratch => $"cp {tar} {Commands.Quote(Path.Combine(scratch, "copy"))}", bytes),
                new("sqfstar, not compressing", scratch => $"sqfstar -noI -noD -noF -noX -no-progress {Commands.Quote(Path.Combine(scratch, "image"))} < {tar}", bytes),
                new("tar2sqfs -c lz4", scratch => $"tar2sqfs -q -c lz4 {Commands.Quote(Path.Combine(scratch, "image"))} < {tar}", bytes),
            ],
            [new Ratio(ImportFile, "SHA-256 alone"), new Ratio(ImportFile, "sqfstar, not compressing"), new Ratio(ImportFile, "tar2sqfs -c lz4")]);
    }

    private Case Start() => new(
        "start",
        "Start-up: nothing to do, and a layer of 1 MB",
        [
            new("--version", _ => $"{_program} --version"),
            new("convert, 1 MB from a registry", scratch => Convert(LayerImages.InRegistry(registry, LayerImages.SmallName), scratch)),
            new("convert, 1 MB from an OCI layout", scratch => Convert(images.InLayout(LayerImages.SmallName), scratch)),
            new("import, 1 MB", scratch => $"{_program} import {Commands.Quote(images.SmallGzip)} --block {Commands.Quote(Path.Combine(scratch, "layer.bcim"))} --quiet"),
        ],
        [new Ratio("convert, 1 MB from a registry", "--version")]);

    /// <summary>What imports have below them, made by the program under test as it is now.</summary>
    public async Task MakeBaseAsync()
    {
        var folder = Path.GetDirectoryName(BaseBlock)!;
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        await Commands.RunAsync($"{_program} import {Commands.Quote(images.Base)} --block {Commands.Quote(BaseBlock)} --quiet", environment: null);
    }
}
