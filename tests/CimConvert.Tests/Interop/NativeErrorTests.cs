using CimConvert.Interop;
using NUnit.Framework;

namespace CimConvert.Tests.Interop;

public class NativeErrorTests
{
    [Test]
    public void A_failure_names_the_call_the_path_and_what_the_code_means()
    {
        var failure = Assert.Throws<NativeException>(() => NativeErrors.ThrowIfFailed(unchecked((int)0x80070020), "CimCommitImage", @"C:\a.bcim"))!;
        Assert.That(failure.Message, Is.EqualTo(@"CimCommitImage failed on 'C:\a.bcim': another process is using it (0x80070020)"));
        Assert.That((failure.Call, failure.Path, failure.HResult), Is.EqualTo(("CimCommitImage", @"C:\a.bcim", unchecked((int)0x80070020))));
        Assert.That(Failures.IsExpected(failure));
    }

    [TestCase(0)]
    [TestCase(1, Description = "S_FALSE is success")]
    public void What_is_not_negative_is_success(int result) => Assert.DoesNotThrow(() => NativeErrors.ThrowIfFailed(result, "Call", "path"));

    [Test]
    public void Win32_errors_become_hresults()
    {
        var failure = Assert.Throws<NativeException>(() => NativeErrors.ThrowIfWin32(NativeErrors.BadDatabase, "OROpenHive", "SYSTEM"))!;
        Assert.That(failure.Message, Is.EqualTo("OROpenHive failed on 'SYSTEM': the registry hive is damaged (0x800703F1)"));
        Assert.DoesNotThrow(() => NativeErrors.ThrowIfWin32(0, "OROpenHive", "SYSTEM"));
    }

    [TestCase(0x80070070, true)]
    [TestCase(0x80070027, true)]
    [TestCase(0x80070005, false)]
    public void A_full_disk_is_told_from_other_failures(uint code, bool isFull)
    {
        var failure = Assert.Throws<NativeException>(() => NativeErrors.ThrowIfFailed(unchecked((int)code), "CimWriteStream", "file"))!;
        Assert.That(Failures.IsDiskFull(Failures.Of("layer 1 of 2", failure)), Is.EqualTo(isFull));
    }
}
