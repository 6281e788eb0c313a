using System.Text.Json;
using CimConvert.Layers;
using CimConvert.Tests.Formats.Tar;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>Imports a tar made in code, and tells the calls it caused in a form a test can state in a line each.</summary>
internal static class LayerImportHarness
{
    public static readonly string[] ConfigHives = ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"];

    /// <summary>A tar with the hives that every base layer must have.</summary>
    public static TarBuilder BaseTar(params string[] without)
    {
        var tar = new TarBuilder();
        foreach (var hive in ConfigHives.Except(without, StringComparer.Ordinal))
        {
            tar.Add($"Files/Windows/System32/config/{hive}", data: System.Text.Encoding.ASCII.GetBytes(hive));
        }

        return tar;
    }

    /// <summary>The calls for a child layer: <c>file PATH SIZE</c>, <c>stream</c>, <c>hard NEW OLD</c>, <c>merge</c>, <c>gone</c>, <c>opaque</c>.</summary>
    public static string[] Child(TarBuilder tar) => Import(tar, isBase: false).Calls;

    public static (string[] Calls, LayerImportResult Result) Import(TarBuilder tar, bool isBase, LayerFolder? folder = null, ILogger? logger = null)
    {
        using var own = new LayerFolder();
        using var image = new RecordingCimWriter();
        using var stream = tar.End().ToStream();
        var options = new LayerImportOptions { IsBase = isBase, LayerFolder = (folder ?? own).Path, Logger = logger };
        var result = LayerImport.Run(stream, image, options, default);
        return (Summaries(image), result);
    }

    /// <summary>What was called, but for the ends of streams.</summary>
    public static string[] Summaries(RecordingCimWriter image) =>
        [.. image.Lines.Where(line => !line.Contains("CloseStream", StringComparison.Ordinal)).Select(Short)];

    public static LayerImportException Fails(TarBuilder tar, bool isBase = false)
    {
        using var folder = new LayerFolder();
        var wrong = Assert.Throws<LayerImportException>(() => Import(tar, isBase, folder))!;
        Assert.That(folder.Everything, Is.Empty, "nothing stays on disk after an error");
        Assert.That(wrong.Message, Does.Not.Contain("\n"));
        return wrong;
    }

    private static string Short(string line)
    {
        using var json = JsonDocument.Parse(line);
        var op = Value("op") switch
        {
            "CreateFile" => "file",
            "CreateAlternateStream" => "stream",
            "CreateHardLink" => "hard",
            "CreateMergeLink" => "merge",
            "TombstoneFile" => "gone",
            "MakeOpaque" => "opaque",
            "DeletePath" => "delete",
            var other => other,
        };
        var names = op is "hard" or "merge" ? $"{Value("new")} {Value("old")}" : Value("path");
        return op is "file" or "stream" ? $"{op} {names} {Value("size")}" : $"{op} {names}";

        string Value(string key) => json.RootElement.GetProperty(key).ToString();
    }
}
