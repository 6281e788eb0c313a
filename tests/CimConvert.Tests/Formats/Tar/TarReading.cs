using System.Text;
using CimConvert.Formats.Tar;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>Short forms for reading a tar in a test.</summary>
internal static class TarReading
{
    public static void AssertNext(TarReader tar, TarEntryType type, string name, long? offset = null)
    {
        Assert.That(tar.MoveNext(), Is.True, $"an entry '{name}' was expected");
        Assert.That((tar.Type, tar.Name), Is.EqualTo((type, name)));
        Assert.That(tar.HeaderOffset, Is.EqualTo(offset ?? tar.HeaderOffset));
    }

    public static string Text(TarReader tar)
    {
        var text = new StringBuilder();
        while (tar.TryReadData(out var slice))
        {
            text.Append(Encoding.UTF8.GetString(slice));
        }

        return text.ToString();
    }

    public static string? Pax(TarReader tar, string keyword) =>
        tar.TryGetPax(Encoding.UTF8.GetBytes(keyword), out var value) ? Encoding.UTF8.GetString(value) : null;

    public static byte[] Data(TarReader tar)
    {
        using var to = new MemoryStream();
        while (tar.TryReadData(out var slice))
        {
            to.Write(slice);
        }

        return to.ToArray();
    }
}
