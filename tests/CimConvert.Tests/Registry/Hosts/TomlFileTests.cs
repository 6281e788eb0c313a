using System.Text;
using CimConvert.Registry.Hosts;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Hosts;

public sealed class TomlReaderTests
{
    private const string Damage = "\"'[]{}=.,#\\\n\r\t x0u\0\u007f\u00ff";

    [TestCase("a = 1", "a=1")]
    [TestCase("a=-1_000 # c", "a=-1000")]
    [TestCase("a = +0", "a=0")]
    [TestCase("a = 9223372036854775807", "a=9223372036854775807")]
    [TestCase("a = true\r\nb = false\r\n", "a=True b=False")]
    [TestCase("a.b.c = 1\na.d = 2", "a={b={c=1} d=2}")]
    [TestCase("\"a b\" = 1\n'c\\' = 2\n\"\" = 3", "a b=1 c\\=2 =3")]
    [TestCase("[a.b]\nc = 1\n[a]\nd = 2", "a={b={c=1} d=2}")]
    [TestCase("[fruit]\napple.color = 1\n[fruit.apple.taste]\nsweet = true", "fruit={apple={color=1 taste={sweet=True}}}")]
    [TestCase("[ a . 'b.c' ]", "a={b.c={}}")]
    [TestCase("a = [ ]", "a=[]")]
    [TestCase("a = [ 1, [ 'x' ], # c\n\n  \"y\",\n]", "a=[1 [x] y]")]
    [TestCase("a = { b = 1, c.d = 'x' }", "a={b=1 c={d=x}}")]
    [TestCase("a = {}", "a={}")]
    [TestCase("\uFEFFa = 1", "a=1")]
    [TestCase("", "")]
    [TestCase("# only a comment", "")]
    public void Documents(string toml, string expected) => Assert.That(Show(Read(toml).Root), Is.EqualTo(expected));

    [TestCase("'C:\\certs\\#1'", "C:\\certs\\#1")]
    [TestCase("\"a\\\"\\\\\\t\\n\\r\\b\\f\"", "a\"\\\t\n\r\b\f")]
    [TestCase("\"\\u00e9\\U0001F600\"", "é😀")]
    [TestCase("\"\"", "")]
    [TestCase("\"\"\"\na\nb\"\"\"", "a\nb")]
    [TestCase("\"\"\"a\\\n   b\"\"\"", "ab")]
    [TestCase("\"\"\"a\"\"b\"\"\"\"\"", "a\"\"b\"\"")]
    [TestCase("'''\r\na\\\r\nb'''", "a\\\nb")]
    public void Strings(string literal, string expected)
    {
        Assert.That(Read($"a = {literal}").Root.TryGet("a", out var value), Is.True);
        Assert.That(value!.Content, Is.EqualTo(expected));
    }

    [TestCase("a", 1, 2, "the end of the file where '='")]
    [TestCase("\na = ", 2, 5, "where a value was expected")]
    [TestCase("a = 1 b = 2", 1, 7, "needs a line of its own")]
    [TestCase("a = 1\na = 2", 2, 1, "'a' is defined twice")]
    [TestCase("[a]\n[a]", 2, 1, "'a' is defined twice")]
    [TestCase("a.b = 1\n[a]", 2, 1, "defined twice")]
    [TestCase("a = 1\na.b = 2", 2, 1, "nothing can be added")]
    [TestCase("a = {}\n[a.b]", 2, 1, "nothing can be added")]
    [TestCase("a = {}\na.b = 1", 2, 1, "nothing can be added")]
    [TestCase("[a.b.c]\n[a]\nb.d = 1", 3, 1, "nothing can be added")]
    [TestCase("a = {b = 1, b = 2}", 1, 13, "defined twice")]
    [TestCase("a = {b = 1,}", 1, 12, "where a key was expected")]
    [TestCase("a = [1 2]", 1, 8, "where ',' was expected")]
    [TestCase("a = [1", 1, 7, "where ',' was expected")]
    [TestCase("[[a]]", 1, 1, "arrays of tables")]
    [TestCase("[a", 1, 3, "where ']' was expected")]
    [TestCase("é = 1", 1, 1, "where a key was expected")]
    [TestCase("a = text", 1, 5, "'text' is neither")]
    [TestCase("a = 01", 1, 5, "neither an integer")]
    [TestCase("a = 1__0", 1, 5, "neither an integer")]
    [TestCase("a = -", 1, 5, "neither an integer")]
    [TestCase("a = 9223372036854775808", 1, 5, "neither an integer")]
    [TestCase("a = 1.5", 1, 5, "neither an integer")]
    [TestCase("a = 1979-05-27T07:32:00Z", 1, 5, "neither an integer")]
    [TestCase("a = \"x", 1, 5, "does not end on its line")]
    [TestCase("a = \"x\ny\"", 1, 5, "does not end on its line")]
    [TestCase("a = '''x", 1, 5, "does not end")]
    [TestCase("a = \"\\x\"", 1, 6, "no such escape")]
    [TestCase("a = \"\\ud800\"", 1, 6, "hex digits that name a character")]
    [TestCase("a = \"\\U00110000\"", 1, 6, "hex digits that name a character")]
    [TestCase("a = \"\\u12\"", 1, 6, "hex digits that name a character")]
    [TestCase("a = '''x''''''", 1, 15, "too many quotes")]
    [TestCase("a = 1 # \u0001", 1, 9, "needs a line of its own")]
    [TestCase("a = 1\rb = 2", 1, 6, "needs a line of its own")]
    public void Errors_say_where(string toml, int line, int column, string message) => Assert.That(
        () => Read(toml),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"hosts.toml, line {line}, column {column}: ").And.Message.Contains(message)
            .And.Message.Not.Contains("\n"));

    [Test]
    public void Bytes_that_are_no_text_are_an_error() =>
        Assert.That(() => TomlReader.Read([(byte)'a', 0xff], "hosts.toml"), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("hosts.toml is not UTF-8 text"));

    [TestCase(TomlReader.MaxDepth, true)]
    [TestCase(TomlReader.MaxDepth + 1, false)]
    public void Nesting_is_limited(int depth, bool allowed)
    {
        foreach (var (open, close) in new[] { ("[", "]"), ("{a=", "}") })
        {
            var toml = "a = " + string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));
            Assert.That(() => Read(toml), allowed ? Throws.Nothing : Throws.TypeOf<InvalidDataException>().With.Message.Contains("nested more than"));
        }

        var key = string.Join('.', Enumerable.Repeat("a", depth)) + " = 1";
        Assert.That(() => Read(key), allowed ? Throws.Nothing : Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than 16 parts"));
    }

    [Test]
    public void Size_is_limited()
    {
        Assert.That(() => Read(new string('#', TomlReader.MaxBytes)), Throws.Nothing);
        Assert.That(() => Read(new string('#', TomlReader.MaxBytes + 1)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than the"));
    }

    /// <summary>Whatever a damaged file holds: the tables, or an error of ours, and an end.</summary>
    [Test]
    public void Damaged_documents_end_in_an_error_of_ours()
    {
        var whole = Encoding.UTF8.GetBytes(
            "server = \"https://r\" # x\n[host.\"https://m\".header]\nx = ['a', \"\\u0041\", '''b''']\n[host.'n']\nclient = [[\"a\", \"b\"]]\ny = {z.z = 1, t = true}\n");
        var random = new Random(5);
        for (var round = 0; round < 3000; round++)
        {
            var bytes = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)Damage[random.Next(Damage.Length)];
            }

            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1)).ToArray();
            try
            {
                Assert.That(TomlReader.Read(cut, "f").Root.Values.Count, Is.LessThan(10));
            }
            catch (InvalidDataException e)
            {
                Assert.That(e.Message, Does.Match(@"\Af(, line \d+, column \d+: .+| is not UTF-8 text)\z"));
            }
        }
    }

    private static TomlDocument Read(string toml) => TomlReader.Read(Encoding.UTF8.GetBytes(toml), "hosts.toml");

    private static string Show(object content) => content switch
    {
        TomlTable table => string.Join(' ', table.Values.Select(pair =>
            pair.Value.Content is TomlTable inner ? $"{pair.Key}={{{Show(inner)}}}" : $"{pair.Key}={Show(pair.Value.Content)}")),
        List<TomlValue> values => $"[{string.Join(' ', values.Select(value => Show(value.Content)))}]",
        _ => content.ToString()!,
    };
}
