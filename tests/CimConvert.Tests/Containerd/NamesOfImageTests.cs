using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

/// <summary>Which names go when one of them is removed. Letters stand for names; a target is what all in a row mean.</summary>
public class NamesOfImageTests
{
    private const string Id = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private const string Target = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    private const string Tag = "r.example/a:1";
    private const string Tag2 = "r.example/a:2";
    private const string ByDigest = "r.example/a@" + Target;
    private const string Other = "r.example/b:1";
    private const string OtherByDigest = "r.example/b@" + Target;

    [TestCase("one image", Tag, new[] { Tag, ByDigest, Id }, new[] { Tag, ByDigest, Id })]
    [TestCase("another tag needs the rest", Tag, new[] { Tag, Tag2, ByDigest, Id }, new[] { Tag })]
    [TestCase("by digest goes a whole repository", ByDigest, new[] { Tag, Tag2, ByDigest, Id }, new[] { Tag, Tag2, ByDigest, Id })]
    [TestCase("another repository needs the config's", Tag, new[] { Tag, ByDigest, Other, OtherByDigest, Id }, new[] { Tag, ByDigest })]
    [TestCase("so does one by digest alone", Tag, new[] { Tag, ByDigest, OtherByDigest, Id }, new[] { Tag, ByDigest })]
    [TestCase("by config goes all", Id, new[] { Tag, Tag2, ByDigest, Other, OtherByDigest, Id }, new[] { Tag, Tag2, ByDigest, Other, OtherByDigest, Id })]
    public void Names_go_with_the_last_that_needs_them(string why, string named, string[] there, string[] going)
    {
        var all = there.Select(name => Record(name)).Append(Record("r.example/other:1", target: Id)).ToArray();
        Assert.That(NamesOfImage.Going(all, all.First(record => record.Name == named)).Select(record => record.Name), Is.EquivalentTo(going), why);
    }

    [Test]
    public void Names_that_nobody_prewarmed_stay_and_keep_what_they_need()
    {
        Image[] all = [Record(Tag), Record(Tag2, prewarmed: false), Record(ByDigest), Record(Id)];
        Assert.That(NamesOfImage.Going(all, all[0]).Select(record => record.Name), Is.EqualTo(new[] { Tag }));
    }

    [TestCase("nginx", "docker.io/library/nginx:latest")]
    [TestCase("r.example/a:1", "r.example/a:1")]
    [TestCase("r.example/a:1@" + Target, "r.example/a@" + Target)]
    [TestCase(Id, Id)]
    public void References_become_names(string reference, string name) => Assert.That(NamesOfImage.Normal(reference), Is.EqualTo(name));

    [Test]
    public void An_image_has_names_by_tag_digest_and_config()
    {
        var (target, config) = (Digest.Parse(Target), Digest.Parse(Id));
        Assert.That(ImageToRegister.NamesOf(ImageReference.Parse("r.example/a:1"), target, config), Is.EqualTo(new[] { Tag, ByDigest, Id }));
        Assert.That(ImageToRegister.NamesOf(ImageReference.Parse("r.example/a@" + Target), target, config), Is.EqualTo(new[] { ByDigest, Id }));
    }

    private static Image Record(string name, bool prewarmed = true, string target = Target)
    {
        var record = new Image { Name = name, Target = new BlobDescriptor { Digest = target } };
        if (prewarmed)
        {
            record.Labels.Add("io.cimconvert.prewarmed", "true");
        }

        return record;
    }
}
