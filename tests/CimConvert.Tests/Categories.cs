namespace CimConvert.Tests;

/// <summary>
/// What takes long or cannot run everywhere. Without them the tests are a loop of seconds:
/// <c>dotnet test tests/CimConvert.Tests --filter "TestCategory!=Process&amp;TestCategory!=Tools&amp;TestCategory!=Slow"</c>
/// </summary>
internal static class Categories
{
    /// <summary>Starts the program, or another process.</summary>
    public const string Process = "Process";

    /// <summary>Needs a program that machines may lack, and is ignored without: see <see cref="CimConvert.TestKit.Servers.Tools"/>.</summary>
    public const string Tools = "Tools";

    /// <summary>Takes more than about two seconds: fuzz, random models, bombs, kill rounds, memory.</summary>
    public const string Slow = "Slow";
}
