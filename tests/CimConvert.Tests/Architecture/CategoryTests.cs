using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli;
using Mono.Cecil;
using NUnit.Framework;

namespace CimConvert.Tests.Architecture;

/// <summary>The quick loop leaves out what starts processes or needs tools: every such test says so, or its fixture does.</summary>
public class CategoryTests
{
    private static readonly string[] s_before = ["SetUpAttribute", "OneTimeSetUpAttribute", "TearDownAttribute", "OneTimeTearDownAttribute"];
    private static readonly string[] s_tests = ["TestAttribute", "TestCaseAttribute", "TestCaseSourceAttribute"];

    [Test]
    public void Tests_that_start_a_process_say_so() =>
        AssertNone(Without(Categories.Process, "System.Diagnostics.Process::Start"));

    /// <summary>But for the program itself, which <c>dotnet</c> runs.</summary>
    [Test]
    public void Tests_that_need_a_tool_say_so() =>
        AssertNone(Without(Categories.Tools, $"{typeof(Tools).FullName}::{nameof(Tools.Require)}", around: typeof(CimConvertProgram).FullName));

    /// <summary>The tests above are only worth something if the calls are seen.</summary>
    [Test]
    public void The_calls_that_are_there_are_found()
    {
        using var tests = Read("CimConvert.Tests");
        using var kit = Read("CimConvert.TestKit");
        var calls = new CallGraph([tests, kit]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(calls.Leads([$"{typeof(CimConvertProgram).FullName}::{nameof(CimConvertProgram.FailAsync)}"], "System.Diagnostics.Process::Start"));
            Assert.That(calls.Leads([$"{typeof(Skopeo).FullName}::{nameof(Skopeo.PushAsync)}"], $"{typeof(Tools).FullName}::{nameof(Tools.Require)}"));
            Assert.That(calls.Leads([$"{typeof(CallGraph).FullName}::{nameof(CallGraph.Leads)}"], "System.Diagnostics.Process::Start"), Is.False);
        }
    }

    private static void AssertNone(List<string> tests) => Assert.That(tests, Is.Empty, string.Join('\n', tests));

    /// <summary>The tests that lead to a call and are not of the category.</summary>
    private static List<string> Without(string category, string call, string? around = null)
    {
        using var tests = Read("CimConvert.Tests");
        using var kit = Read("CimConvert.TestKit");
        var calls = new CallGraph([tests, kit]);
        var wrong = new List<string>();
        foreach (var fixture in tests.GetTypes().Where(type => !IsOf(type, category)))
        {
            var always = fixture.Methods.Where(method => method.IsConstructor || Has(method, s_before)).Select(CallGraph.NameOf).ToArray();
            wrong.AddRange(fixture.Methods
                .Where(method => Has(method, s_tests) && !IsOf(method, category) && calls.Leads([.. always, CallGraph.NameOf(method)], call, around))
                .Select(method => $"{fixture.FullName}.{method.Name}"));
        }

        return wrong;
    }

    private static ModuleDefinition Read(string assembly) => ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));

    private static bool Has(MethodDefinition method, string[] attributes) => method.CustomAttributes.Any(attribute => attributes.Contains(attribute.AttributeType.Name));

    private static bool IsOf(ICustomAttributeProvider member, string category) => member.CustomAttributes.Any(attribute =>
        attribute.AttributeType.Name == nameof(CategoryAttribute) && (string)attribute.ConstructorArguments[0].Value == category);
}
