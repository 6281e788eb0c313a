using CimConvert.Cli;

return await CommandLine.RunAsync(args);
