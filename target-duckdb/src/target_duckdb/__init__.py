"""Singer target for DuckDB that loads every row, exactly."""
