using System.Globalization;
using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>
/// Trees in a line of text, for tables: <c>r{v=1 -w a:cls@S#7{x=2 b}}</c> is a key r with the value v, a tombstone value w
/// and the subkey a, of class cls, descriptor S and time 7. Before a key's name stand its layer marks:
/// <c>!</c> tombstone, <c>~</c> supersede local, <c>^</c> supersede tree, <c>*</c> inherits its class.
/// <c>.</c> for a value's name is the default value.
/// </summary>
internal sealed class KeyNotation
{
    private const string Marks = "!~^*";
    private const string Ends = ":@#{} =";

    private readonly string _text;
    private int _at;

    private KeyNotation(string text) => _text = text;

    public static Hive Hive(string text) => HiveFiles.Read(new KeyNotation(text).Key());

    public static string Of(HiveKey key)
    {
        var text = new StringBuilder();
        text.Append(key.Layer switch
        {
            LayerSemantics.Tombstone => "!",
            LayerSemantics.SupersedeLocal => "~",
            LayerSemantics.SupersedeTree => "^",
            _ => string.Empty,
        });
        text.Append(key.InheritsClass ? "*" : string.Empty).Append(key.Name);
        text.Append(key.ClassName.IsEmpty ? string.Empty : ":" + Encoding.Unicode.GetString(key.ClassName.Span));
        text.Append(key.Security is { } security ? "@" + Encoding.ASCII.GetString(security.Descriptor.Span) : string.Empty);
        text.Append(key.LastWritten == 0 ? string.Empty : $"#{key.LastWritten}");
        string[] inside = [.. key.Values.Select(Of), .. key.Subkeys.Select(Of)];
        return text.Append(inside.Length == 0 ? string.Empty : $"{{{string.Join(' ', inside)}}}").ToString();
    }

    private static string Of(HiveValue value)
    {
        var name = value.Name.Length == 0 ? "." : value.Name;
        return value.IsTombstone ? "-" + name : $"{name}={Encoding.ASCII.GetString(value.Data.Span)}";
    }

    private KeySpec Key()
    {
        byte layer = 0;
        for (; Marks.Contains(_text[_at], StringComparison.Ordinal); _at++)
        {
            layer |= (byte)(_text[_at] == '*' ? 0x80 : Marks.IndexOf(_text[_at], StringComparison.Ordinal) + 1);
        }

        var key = new KeySpec(Word()) { Layer = layer, LastWritten = 0 };
        key.ClassName = Take(':') ? Word() : string.Empty;
        key.Security = Take('@') ? Encoding.ASCII.GetBytes(Word()) : null;
        key.LastWritten = Take('#') ? long.Parse(Word(), CultureInfo.InvariantCulture) : 0;
        if (Take('{'))
        {
            while (!Take('}'))
            {
                Item(key);
                Take(' ');
            }
        }

        return key;
    }

    private void Item(KeySpec owner)
    {
        var start = _at;
        if (Take('-'))
        {
            owner.Values.Add(ValueSpec.Tombstone(ValueName(Word())));
            return;
        }

        var name = Word();
        if (Take('='))
        {
            owner.Values.Add(new ValueSpec(ValueName(name), 3, Encoding.ASCII.GetBytes(Word())));
            return;
        }

        _at = start;
        owner.Subkeys.Add(Key());
    }

    private static string ValueName(string written) => written == "." ? string.Empty : written;

    private string Word()
    {
        var start = _at;
        while (_at < _text.Length && !Ends.Contains(_text[_at], StringComparison.Ordinal))
        {
            _at++;
        }

        return _text[start.._at];
    }

    private bool Take(char expected)
    {
        if (_at >= _text.Length || _text[_at] != expected)
        {
            return false;
        }

        _at++;
        return true;
    }
}
