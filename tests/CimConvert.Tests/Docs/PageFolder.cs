using System.Formats.Tar;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Layers.Hives;

namespace CimConvert.Tests.Docs;

/// <summary>
/// Where the command lines of a page run: an empty folder with the files that pages speak of, <c>cimconvert</c> on the path, and a
/// registry that answers to the names that pages use. Lines run as they stand, in a shell: HTTPS_PROXY leads every host to the
/// registry of this process, and SSL_CERT_FILE makes its certificate a trusted one. Where a line relies on the containerd of a node, the
/// <c>cimconvert</c> on the path adds the options that lead to a <see cref="PageNode"/>, which is started for the first such line.
/// </summary>
internal sealed class PageFolder : IAsyncDisposable
{
    /// <summary>What <c>cimconvert</c> adds to its command line, by words.</summary>
    private const string AddedOptions = "CIMCONVERT_PAGE_OPTIONS";

    /// <summary>The hosts that pages may name.</summary>
    private static readonly string[] s_hosts = ["registry.example.com", "mirror.example.com", "mcr.microsoft.com", "registry.k8s.io"];

    /// <summary>The images that are there, of three layers or of the first of them.</summary>
    private static readonly (string Repository, string Tag, int Layers)[] s_images =
    [
        ("team/app", "1.0", 3), ("team/app", "1.1", 3), ("team/base", "1.0", 1), ("windows/nanoserver", "ltsc2022", 1), ("windows/servercore", "ltsc2022", 2),
        ("pause", "3.10", 1),
    ];

    private readonly TempFolder _folder;
    private readonly TestAuthority _authority;
    private readonly TestCertificate _certificate;
    private readonly FakeRegistry _registry;
    private readonly ForwardProxy _proxy;
    private readonly Dictionary<string, string?> _environment;
    private readonly HashSet<string> _listsIntoContainerd = new(StringComparer.Ordinal);
    private PageNode? _node;

    private PageFolder(TempFolder folder, TestAuthority authority, TestCertificate certificate, FakeRegistry registry)
    {
        _folder = folder;
        _authority = authority;
        _certificate = certificate;
        _registry = registry;
        _proxy = new ForwardProxy(registry.Host);
        _environment = new(StringComparer.Ordinal)
        {
            ["PATH"] = $"{folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}",
            ["HTTPS_PROXY"] = "http://" + _proxy.Host,
            ["https_proxy"] = "http://" + _proxy.Host,
            ["HTTP_PROXY"] = null,
            ["http_proxy"] = null,
            ["ALL_PROXY"] = null,
            ["all_proxy"] = null,
            ["NO_PROXY"] = null,
            ["no_proxy"] = null,
            ["SSL_CERT_FILE"] = authority.CertificatePath,
            ["DOCKER_CONFIG"] = "/nonexistent",
        };
    }

    /// <summary>Where the lines run.</summary>
    public string WorkingFolder => _folder["work"];

    [UnsupportedOSPlatform("windows")]
    public static async Task<PageFolder> MakeAsync()
    {
        var folder = new TempFolder("cimconvert-docs-");
        var authority = new TestAuthority(folder);
        var certificate = authority.Server(s_hosts);
        var page = new PageFolder(folder, authority, certificate, await FakeRegistry.StartAsync(certificate.Certificate));
        page.WriteProgram();
        page.WriteImages();
        page.WriteFiles();
        return page;
    }

    /// <summary>Saves a block that a page gives the content of a file in.</summary>
    public void Save(string name, string text)
    {
        _folder.Write(Path.Combine("work", name), Encoding.UTF8.GetBytes(text));
        if (text.Contains("into:\n  containerd:", StringComparison.Ordinal))
        {
            _listsIntoContainerd.Add(name);
        }
    }

    /// <summary>Runs one line in a shell. Ends the test as ignored if it needs a containerd, and there is none.</summary>
    public async Task<ProcessResult> RunAsync(string line)
    {
        _environment[AddedOptions] = string.Join(' ', await OptionsForAsync(line));
        return await ExternalProcess.RunAsync("/bin/sh", ["-c", line], CimConvertProgram.Patience, _environment, WorkingFolder);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await _proxy.DisposeAsync();
        await _registry.DisposeAsync();
        _certificate.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [UnsupportedOSPlatform("windows")]
    private void WriteProgram()
    {
        var arguments = string.Join(' ', CimConvertProgram.CommandLine().Select(argument => $"'{argument}'"));
        var script = _folder.Write(Path.Combine("bin", "cimconvert"), Encoding.UTF8.GetBytes($"#!/bin/sh\nexec {arguments} \"$@\" ${AddedOptions}\n"));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>Nothing for a line that names a daemon itself, or needs none.</summary>
    private async Task<IReadOnlyList<string>> OptionsForAsync(string line)
    {
        var words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not ["cimconvert", var command, ..] || words.Contains("--containerd"))
        {
            return [];
        }

        var isInto = words.SkipWhile(word => word is not "--into").Skip(1).FirstOrDefault() is "containerd" || words.Any(_listsIntoContainerd.Contains);
        return (command, isInto) switch
        {
            ("doctor", _) => (await NodeAsync()).DoctorOptions,
            ("containerd", _) => (await NodeAsync()).DaemonOptions,
            ("convert" or "prewarm", true) => (await NodeAsync()).IntoOptions,
            _ => [],
        };
    }

    private async Task<PageNode> NodeAsync() => _node ??= await PageNode.StartAsync();

    private void WriteImages()
    {
        LayerBuilder[] layers = [Base(), Runtime(), App()];
        foreach (var (repository, tag, count) in s_images)
        {
            // Tags of one repository are different images of the same layers.
            var image = new ImageBuilder { OsVersion = tag is "1.1" ? "10.0.20348.2700" : "10.0.20348.2031" };
            foreach (var layer in layers.Take(count))
            {
                image.Layer(layer);
            }

            var layout = _folder["images", $"{repository.Replace('/', '-')}-{tag}"];
            image.WriteTo(layout, tag);
            _registry.AddLayout(repository, layout);
        }
    }

    /// <summary>What a reader has before the first line of a page, by the names that the pages use.</summary>
    private void WriteFiles()
    {
        new ImageBuilder().Layer(Base()).Layer(Runtime()).Layer(App()).WriteTo(_folder["work", "image"], "1.0");
        _folder.Write("work/base.tar.gz", Base().ToGzip());
        _folder.Write("work/runtime.tar.gz", Runtime().ToGzip());
        _folder.Write("work/app.tar.gz", App().ToGzip());
        _folder.Write("work/SOFTWARE", Hive(Software()));
        _folder.Write("work/SOFTWARE_BASE", Hive(Software()));
        _folder.Write("work/SOFTWARE_DELTA", Hive(SoftwareDelta()));
        _folder.Write("work/SYSTEM", Hive(BootHives.SystemHive()));
        _folder.Write("work/BCD", Hive(BootHives.BootStore()));
        _folder.Write("work/certs/authority.crt", File.ReadAllBytes(_authority.CertificatePath));
        WriteSavedImage(_folder["work", "saved.tar"]);
    }

    private static void WriteSavedImage(string path)
    {
        var tar = Base().ToArray();
        var config = string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"architecture":"amd64","os":"windows","os.version":"10.0.20348.2031","rootfs":{"type":"layers","diff_ids":["{{{Digests.Of(tar)}}}"]}}""");
        using var archive = new TarWriter(File.Create(path));
        Add("base/layer.tar", tar);
        Add("config.json", Encoding.UTF8.GetBytes(config));
        Add("manifest.json", """[{"Config":"config.json","RepoTags":["app:1.0"],"Layers":["base/layer.tar"]}]"""u8.ToArray());

        void Add(string name, byte[] content) => archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
    }

    private static LayerBuilder Base() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/Windows").Directory("Files/Windows/System32").Directory("Files/Windows/System32/config")
        .BaseHives(name => Hive(name == "SOFTWARE" ? Software() : new KeySpec("ROOT").With(new KeySpec(name))))
        .File("Files/License.txt", "removed by the application's layer")
        .File("Files/Windows/win.ini", "; for 16-bit app support\r\n")
        .File("Files/Windows/System32/library.dll", SeededContent.Bytes(1, 200_000))
        .File("UtilityVM/Files/EFI/Microsoft/Boot/BCD", Hive(BootHives.BootStore()))
        .File("UtilityVM/Files/EFI/Microsoft/Boot/bootmgfw.efi", SeededContent.Bytes(2, 9_000))
        .File("UtilityVM/Files/Windows/System32/config/SYSTEM", Hive(BootHives.SystemHive()))
        .File("UtilityVM/Files/Windows/System32/config/SOFTWARE", Hive(Software()));

    private static LayerBuilder Runtime() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/Program Files").File("Files/Program Files/runtime.dll", SeededContent.Bytes(3, 500_000))
        .Directory("Hives").DeltaHives(name => Hive(new KeySpec("ROOT").With(new KeySpec("Runtime"))));

    private static LayerBuilder App() => new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
        .Directory("Files").Directory("Files/app").File("Files/app/app.exe", SeededContent.Bytes(4, 120_000))
        .AlternateStream("Files/app/app.exe", "Zone.Identifier", Encoding.ASCII.GetBytes("[ZoneTransfer]\r\nZoneId=3\r\n"))
        .Whiteout("Files/License.txt")
        .Directory("Hives").DeltaHives(name => Hive(name == "SOFTWARE_DELTA" ? SoftwareDelta() : new KeySpec("ROOT").With(new KeySpec("App"))));

    private static byte[] Hive(KeySpec root) => new HiveBuilder(root).Build();

    private static KeySpec Software() => new KeySpec("ROOT").With(
        new KeySpec("Microsoft").With(new KeySpec("Windows NT").With(new KeySpec("CurrentVersion").With(ValueSpec.Text("ProductName", "Windows Server")))));

    private static KeySpec SoftwareDelta() => new KeySpec("ROOT").With(new KeySpec("App").With(ValueSpec.Text("Version", "1.0")));
}
