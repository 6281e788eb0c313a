using NUnit.Framework;

// Every fixture owns its own temporary folder, ports and processes: all may run at once.
[assembly: Parallelizable(ParallelScope.All)]
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]

// Many tests wait for other programs: more at once than there are cores keep the cores busy.
[assembly: LevelOfParallelism(4)]
