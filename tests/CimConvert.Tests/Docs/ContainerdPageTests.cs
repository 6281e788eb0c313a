using System.Text.Json;
using CimConvert.TestKit.Containerd;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Docs;

/// <summary>docs/containerd.md: a real daemon starts with the page's config.toml, and <c>doctor</c> has nothing to say against it.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Platform(Exclude = "Win", Reason = "Debian's containerd")]
public class ContainerdPageTests
{
    private static readonly string[] s_configured = ["snapshotter", "differ", "cri-snapshotter", "unpack-config", "diff-service", "image-volumes"];

    [Test]
    public async Task A_daemon_with_the_configuration_of_the_page_is_fit([Values] SnapshotterMode mode)
    {
        await using var node = await PageNode.StartAsync(mode);
        var result = await CimConvertProgram.RunAsync(["doctor", "--json", .. node.DoctorOptions]);
        Assert.That(result.Error, Is.Empty);
        using var document = JsonDocument.Parse(result.OutputBytes);
        var report = document.RootElement;
        var checks = report.GetProperty("checks").EnumerateArray()
            .ToDictionary(check => check.GetProperty("name").GetString()!, check => check.GetProperty("status").GetString());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(s_configured.Where(name => checks[name] is not "ok"), Is.Empty, result.Output);
            Assert.That(report.GetProperty("configuration").GetArrayLength(), Is.Zero, result.Output);
        }
    }

    [Test]
    public void Every_setting_of_the_configuration_is_explained()
    {
        var page = MarkdownPage.Read(PageNode.Page);
        var explained = page.InlineCode.Select(span => span.Code).ToHashSet(StringComparer.Ordinal);
        var settings = new[] { "config.toml", "blockcim.toml" }.SelectMany(file => PageNode.Block(file).Split('\n'))
            .Where(line => line.Contains(" = ", StringComparison.Ordinal)).Select(line => line.Split(" = ")[0]);
        Assert.That(settings.Where(setting => !explained.Contains(setting)), Is.Empty);
    }
}
