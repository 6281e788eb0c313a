using Converter.Cli;

return await CommandLine.RunAsync(args);
