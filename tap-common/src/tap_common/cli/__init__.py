"""The command of a tap: help, settings from the environment, `--test`, exit codes."""
