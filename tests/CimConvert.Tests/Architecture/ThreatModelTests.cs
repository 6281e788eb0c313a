using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using CimConvert.Formats.Cim;
using CimConvert.Layers;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace CimConvert.Tests.Architecture;

/// <summary>docs/threat-model.md says what the code says.</summary>
public partial class ThreatModelTests
{
    private const BindingFlags Constants = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Called like limits, and none of anything that comes from outside.</summary>
    private static readonly string[] s_ofOurOwn =
    [
        "BlockHeader.MaxDistanceSymbols", "BlockHeader.MaxLiteralSymbols", "ChunkCache.MaxChunks", "CimFormat.MaxVersionMajor",
        "CimReader.MaxCachedTables", "DecodeTable.MaxCodeLength", "GzipChunkDecoder.MaxTries", "GzipChunkReader.MaxMisses",
        "LayerImportException.MaxShownName", "NativePath.MaxShortPath", "ParallelGunzip.MaxWorkers", "RetryPolicy.MaxDoublings", "SecurityDescriptors.MaxCachedText",
        "SelfRelativeDescriptor.MaxAclRevision", "TransportPush.MaxTenths", "ValueField.MaxInline", "VerifiedReader.MaxCachedBlocks",
    ];

    /// <summary>Where every constant is a limit, whatever it is called.</summary>
    private static readonly string[] s_onlyLimits = ["RegfLimits", "InputLimits"];

    private static string Page => File.ReadAllText(Path.Combine(Repository.Root, "docs", "threat-model.md"));

    [Test]
    public void The_table_has_every_limit_with_its_value()
    {
        var listed = Row().Matches(Page).Select(row => $"{row.Groups["name"].Value} = {row.Groups["value"].Value}");
        var real = Limits().Where(limit => !s_ofOurOwn.Contains(limit.Name)).Select(limit => $"{limit.Name} = {limit.Value}");
        Assert.That(listed.Order(StringComparer.Ordinal), Is.EqualTo(real.Order(StringComparer.Ordinal)));
    }

    [Test]
    public void What_is_left_out_of_the_table_is_there() => Assert.That(s_ofOurOwn, Is.SubsetOf(Limits().Select(limit => limit.Name)));

    [Test]
    public void The_tests_it_names_are_there()
    {
        var fixtures = typeof(ThreatModelTests).Assembly.GetTypes().Where(type => type.GetMethods().Any(IsTest));
        var named = Fixture().Matches(Page).Select(match => match.Groups["name"].Value).Distinct().ToArray();
        Assert.That(named, Has.Length.GreaterThan(20).And.SubsetOf(fixtures.Select(type => type.Name)));
    }

    [Test]
    public void The_readme_leads_to_it() =>
        Assert.That(File.ReadAllText(Path.Combine(Repository.Root, "README.md")), Does.Contain("(docs/threat-model.md)"));

    [GeneratedRegex(@"^\| `(?<name>\w+\.\w+)` \| (?<value>\d+) \| \S", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Za-z]+Tests)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Fixture();

    private static bool IsTest(MethodInfo method) => method.GetCustomAttributes().Any(attribute => attribute is ITestBuilder or ISimpleTestBuilder);

    private static IEnumerable<(string Name, string Value)> Limits() =>
        from assembly in (Assembly[])[typeof(InputLimits).Assembly, typeof(CimPath).Assembly]
        from type in assembly.GetTypes()
        from field in type.GetFields(Constants)
        where field.IsLiteral && !type.IsEnum && field.FieldType != typeof(string)
        where field.Name.StartsWith("Max", StringComparison.Ordinal) || field.Name.StartsWith("DefaultMax", StringComparison.Ordinal) || s_onlyLimits.Contains(type.Name)
        select ($"{type.Name}.{field.Name}", Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)!);
}
