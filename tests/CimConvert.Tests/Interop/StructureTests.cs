using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CimConvert.Interop;
using NUnit.Framework;

namespace CimConvert.Tests.Interop;

/// <summary>The structures that go to Windows' libraries: natural alignment, the same on x64 and arm64 (CimFs.h of the Windows SDK).</summary>
public class StructureTests
{
    [Test]
    public void File_metadata_lies_as_CimFs_h_has_it()
    {
        (string Field, int Offset)[] expected =
        [
            (nameof(CimFsFileMetadata.Attributes), 0),
            (nameof(CimFsFileMetadata.FileSize), 8),
            (nameof(CimFsFileMetadata.CreationTime), 16),
            (nameof(CimFsFileMetadata.LastWriteTime), 24),
            (nameof(CimFsFileMetadata.ChangeTime), 32),
            (nameof(CimFsFileMetadata.LastAccessTime), 40),
            (nameof(CimFsFileMetadata.SecurityDescriptor), 48),
            (nameof(CimFsFileMetadata.SecurityDescriptorSize), 56),
            (nameof(CimFsFileMetadata.Reparse), 64),
            (nameof(CimFsFileMetadata.ReparseSize), 72),
            (nameof(CimFsFileMetadata.ExtendedAttributes), 80),
            (nameof(CimFsFileMetadata.ExtendedAttributesSize), 88),
        ];
        var fields = typeof(CimFsFileMetadata).GetFields().Select(field => (field.Name, (int)Marshal.OffsetOf<CimFsFileMetadata>(field.Name)));
        Assert.That(fields, Is.EqualTo(expected));
        Assert.That(Marshal.SizeOf<CimFsFileMetadata>(), Is.EqualTo(96));
        Assert.That(Unsafe.SizeOf<CimFsFileMetadata>(), Is.EqualTo(96), "passed as it lies, without a copy");
    }

    [Test]
    public void Image_path_is_two_pointers()
    {
        Assert.That((int)Marshal.OffsetOf<CimFsImagePath>(nameof(CimFsImagePath.ImageDir)), Is.Zero);
        Assert.That((int)Marshal.OffsetOf<CimFsImagePath>(nameof(CimFsImagePath.ImageName)), Is.EqualTo(nint.Size));
        Assert.That(Unsafe.SizeOf<CimFsImagePath>(), Is.EqualTo(2 * nint.Size));
    }
}
