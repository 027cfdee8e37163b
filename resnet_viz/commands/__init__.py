"""The commands of the command line: `NAME(options)` runs one, `NAME_arguments(parser)` declares its options."""
