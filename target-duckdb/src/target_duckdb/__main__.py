"""Run the target as `python -m target_duckdb`."""

from target_duckdb.target import TargetDuckDB

if __name__ == "__main__":
    TargetDuckDB.cli()
