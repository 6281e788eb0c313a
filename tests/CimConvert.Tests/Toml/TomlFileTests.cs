using System.Text;
using CimConvert.Toml;
using NUnit.Framework;

namespace CimConvert.Tests.Toml;

public sealed class TomlFileTests
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
    [TestCase("a = 0x1f", "a=31")]
    [TestCase("a = {\n b = 1,\n}", "a={b=1}")]
    [TestCase("a = 1.5\nb = inf", "a=1.5 b=Infinity")]
    [TestCase("[[a]]\nb = 1\n[[a]]\n[[a]]\nb = 3", "a=[b=1  b=3]")]
    [TestCase("[[a.b]]\n[a.b.c]\nd = 1\n[[a.b]]\n[a.b.c]\nd = 2\n[[a.b.e]]\nf = 3", "a={b=[c={d=1} c={d=2} e=[f=3]]}")]
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
    [TestCase("'''\r\na\\\r\nb'''", "a\\\r\nb")]
    public void Strings(string literal, string expected)
    {
        Assert.That(Read($"a = {literal}").Root.TryGet("a", out var value), Is.True);
        Assert.That(value!.Content, Is.EqualTo(expected));
    }

    [TestCase("a", 1, 2, "Expecting `=` after a key")]
    [TestCase("\na = ", 2, 5, "for a value")]
    [TestCase("a = 1 b = 2", 1, 7, "while expecting token `newline`")]
    [TestCase("a = 1\na = 2", 2, 1, "'a' is defined twice")]
    [TestCase("[a]\n[a]", 2, 1, "'a' is defined twice")]
    [TestCase("a.b = 1\n[a]", 2, 1, "defined twice")]
    [TestCase("a = 1\na.b = 2", 2, 1, "nothing can be added")]
    [TestCase("a = {}\n[a.b]", 2, 1, "nothing can be added")]
    [TestCase("a = {}\na.b = 1", 2, 1, "nothing can be added")]
    [TestCase("[a.b.c]\n[a]\nb.d = 1", 3, 1, "nothing can be added")]
    [TestCase("[t]\na = 1\nb = 2\n[t.a]", 4, 1, "nothing can be added")]
    [TestCase("a = {b = 1, b = 2}", 1, 13, "defined twice")]
    [TestCase("a = [1 2]", 1, 8, "Missing a `,`")]
    [TestCase("a = [1", 1, 7, "Expecting a closing `]`")]
    [TestCase("a = {b = 1", 1, 11, "inline table")]
    [TestCase("[[a]]\n[a]", 2, 1, "'a' is defined twice")]
    [TestCase("[a]\n[[a]]", 2, 1, "not as an array of tables")]
    [TestCase("a = [{}]\n[[a]]", 2, 1, "not as an array of tables")]
    [TestCase("a = [{}]\n[a.b]", 2, 1, "nothing can be added")]
    [TestCase("[[a]]\nb = 1\n[a.b]", 3, 1, "nothing can be added")]
    [TestCase("[a", 1, 3, "while expecting `]`")]
    [TestCase("[", 1, 2, "for a base key")]
    [TestCase("é = 1", 1, 1, "Unexpected token [é]")]
    [TestCase("a = text", 1, 5, "Unexpected token `text` for a value")]
    [TestCase("a = 01", 1, 5, "leading zero")]
    [TestCase("a = 1__0", 1, 7, "underscore")]
    [TestCase("a = -", 1, 5, "for a value")]
    [TestCase("a = 9223372036854775808", 1, 5, "integer")]
    [TestCase("a = \"x", 1, 6, "End-Of-File")]
    [TestCase("a = \"x\ny\"", 1, 7, "Invalid newline in a string")]
    [TestCase("a = '''x", 1, 8, "End-Of-File")]
    [TestCase("a = \"\\x\"", 1, 7, "Invalid escape")]
    [TestCase("a = \"\\ud800\"", 1, 7, "Unicode scalar value")]
    [TestCase("a = \"\\U00110000\"", 1, 7, "Unicode scalar value")]
    [TestCase("a = \"\\u12\"", 1, 10, "Unexpected escape character")]
    [TestCase("a = \"\\", 1, 7, "the file ends within a string")]
    [TestCase("a = '''x''''''", 1, 14, "while expecting token `newline`")]
    [TestCase("a = 1 # \u0001", 1, 9, "control character")]
    [TestCase("a = 1\rb = 2", 1, 6, "not followed by")]
    public void Errors_say_where(string toml, int line, int column, string message) => Assert.That(
        () => Read(toml),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"hosts.toml, line {line}, column {column}: ").And.Message.Contains(message)
            .And.Message.Not.Contains("\n"));

    [Test]
    public void Dates_are_read() => Assert.That(Read("a = 1979-05-27T07:32:00Z").Root.TryGet("a", out _), Is.True);

    [Test]
    public void Bytes_that_are_no_text_are_an_error() =>
        Assert.That(() => TomlFile.Read([(byte)'a', 0xff], "hosts.toml"), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("hosts.toml is not UTF-8 text"));

    [TestCase(TomlFile.MaxDepth, true)]
    [TestCase(TomlFile.MaxDepth + 1, false)]
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
        Assert.That(() => Read(new string('#', TomlFile.MaxBytes)), Throws.Nothing);
        Assert.That(() => Read(new string('#', TomlFile.MaxBytes + 1)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than the"));
    }

    [Test]
    public void The_number_of_tables_is_limited()
    {
        static string Tables(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $" [t{i}]\n"));
        Assert.That(() => Read(Tables(TomlFile.MaxTables)), Throws.Nothing);
        Assert.That(
            () => Read(Tables(TomlFile.MaxTables + 1)),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("hosts.toml, line 4097, column 1: more than the 4096 tables allowed"));
    }

    [Test]
    public void Nesting_too_deep_is_told_where_it_is()
    {
        var toml = "b = 1\na = " + new string('[', 100_000);
        Assert.That(() => Read(toml), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("hosts.toml, line 2, column 21: values are nested more than 16 deep"));
    }

    /// <summary>Whatever a damaged file holds: the tables, or an error of ours, and an end.</summary>
    [Test]
    public void Damaged_documents_end_in_an_error_of_ours()
    {
        var whole = Encoding.UTF8.GetBytes(
            "server = \"https://r\" # x\n[host.\"https://m\".header]\nx = ['a', \"\\u0041\", '''b''']\n[host.'n']\nclient = [[\"a\", \"b\"]]\ny = {z.z = 1, t = true}\n[[u.v]]\nw = 1.5\n[[u.v]]\nd = 1979-05-27\n");
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
                Assert.That(TomlFile.Read(cut, "f").Root.Values.Count, Is.LessThan(10));
            }
            catch (InvalidDataException e)
            {
                Assert.That(e.Message, Does.Match(@"\Af(, line \d+, column \d+: .+| is not UTF-8 text)\z"));
            }
        }
    }

    private static TomlFile Read(string toml) => TomlFile.Read(Encoding.UTF8.GetBytes(toml), "hosts.toml");

    private static string Show(object content) => content switch
    {
        TomlTable table => string.Join(' ', table.Values.Select(pair =>
            pair.Value.Content is TomlTable inner ? $"{pair.Key}={{{Show(inner)}}}" : $"{pair.Key}={Show(pair.Value.Content)}")),
        List<TomlValue> values => $"[{string.Join(' ', values.Select(value => Show(value.Content)))}]",
        IFormattable value => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => content.ToString()!,
    };
}
