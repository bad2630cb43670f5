"""The command of a tap: `--help`, `--test`, `--about`, settings from the environment, exit codes."""
