using System.Text;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace CimConvert.Toml;

/// <summary>
/// A TOML file, parsed by Tomlyn (https://github.com/xoofx/Tomlyn) into its syntax tree, which needs no reflection. Size, number of
/// tables and nesting are limited before or while it parses.
/// </summary>
internal sealed class TomlFile
{
    /// <summary>Far more than any real file has. The syntax tree of such a file takes up to 60 MiB (measured).</summary>
    public const int MaxBytes = 256 << 10;

    /// <summary>Lines that start with '[': table headers, and nested arrays on lines of their own.</summary>
    public const int MaxTables = 4096;

    public const int MaxDepth = 16;

    private const char ByteOrderMark = '\uFEFF';

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _name;
    private readonly string _text;

    private TomlFile(string name, string text)
    {
        _name = name;
        _text = text;
        CheckTables();
        Root = new TomlTableBuilder(this).Build(Parse());
    }

    public TomlTable Root { get; }

    /// <param name="bytes">The file's content.</param>
    /// <param name="name">Its name, for errors.</param>
    /// <exception cref="InvalidDataException">The file is invalid; the message has its name, line and column.</exception>
    public static TomlFile Read(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.Length > MaxBytes)
        {
            throw new InvalidDataException($"{name} has {bytes.Length} bytes, more than the {MaxBytes} allowed");
        }

        try
        {
            return new TomlFile(name, s_strictUtf8.GetString(bytes).TrimStart(ByteOrderMark));
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{name} is not UTF-8 text", e);
        }
    }

    /// <summary>A file's content, of one that is too large only so much that <see cref="Read"/> refuses it.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static byte[] ReadBounded(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[Math.Min(file.Length, MaxBytes + 1)];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>An error at a position of the file. Lines and columns count from 1.</summary>
    public InvalidDataException Error(int offset, string message)
    {
        var before = _text.AsSpan(0, Math.Min(offset, _text.Length));
        var line = before.Count('\n') + 1;
        var column = before.Length - (before.LastIndexOf('\n') + 1) + 1;
        return new InvalidDataException($"{_name}, line {line}, column {column}: {message}");
    }

    private void CheckTables()
    {
        var tables = 0;
        foreach (var line in _text.AsSpan().Split('\n'))
        {
            if (_text.AsSpan(line).TrimStart(" \t") is ['[', ..] && ++tables > MaxTables)
            {
                throw Error(line.Start.Value, $"more than the {MaxTables} tables allowed");
            }
        }
    }

    private DocumentSyntax Parse()
    {
        var lexer = TomlLexer.Create(_text, new TomlLexerOptions { DecodeScalars = true });
        DocumentSyntax document;
        try
        {
            // The document itself is the first level. Tomlyn 2.10.2's validation misses some duplicates: TomlTableBuilder finds all.
            document = SyntaxParser.Parse(lexer, new TomlSerializerOptions { MaxDepth = MaxDepth + 1 }, validate: false);
        }
        catch (TomlException e)
        {
            // Only too deep nesting throws, and without a position. The parser has just read the bracket.
            lexer.MoveNext();
            throw new InvalidDataException(Error(lexer.Current.Start.Offset - 1, $"values are nested more than {MaxDepth} deep").Message, e);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // Tomlyn 2.10.2 fails to format the error of a file that ends with a backslash in a string.
            throw new InvalidDataException(Error(_text.Length, "the file ends within a string").Message, e);
        }

        return FirstOf(document.Diagnostics) is { } first
            ? throw Error(first.Span.Offset, Printable.Of(first.Message))
            : document;
    }

    /// <summary>
    /// The first error of the file. The parser's errors are listed before the lexer's; errors that follow from the end of the file have
    /// offset 0.
    /// </summary>
    private static DiagnosticMessage? FirstOf(DiagnosticsBag errors)
    {
        DiagnosticMessage? first = null;
        foreach (var error in errors)
        {
            first = first is null || (error.Span.Offset > 0 && error.Span.Offset < first.Span.Offset) ? error : first;
        }

        return first;
    }
}
