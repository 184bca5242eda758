"""Loads what `extract` left in a folder into mcas.duckdb there: the tables
captures and exchanges.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import glob

import duckdb

from mcas_exchanges import CAPTURES, columns


def sql(kind):
    """DuckDB's name for a type of `columns`."""
    if isinstance(kind, tuple):
        return f"{kind[0]}[]"
    if isinstance(kind, dict):
        inner = (f'"{name}" {sql(of)}' for name, of in kind.items())
        return f"STRUCT({', '.join(inner)})"
    return kind


def load(out, fields):
    """The types are the schema's: nothing is guessed from the first lines."""
    part = out / "mcas.duckdb.part"
    part.unlink(missing_ok=True)
    with duckdb.connect(str(part)) as database:
        for table, wanted, ending in [
            ("captures", CAPTURES, "json"),
            ("exchanges", columns(fields), "ndjson"),
        ]:
            # DuckDB takes a name for a pattern.
            files = [glob.escape(str(file))
                     for file in (out / table).rglob(f"*.{ending}")]
            database.read_json(
                sorted(files), format="newline_delimited",
                columns={name: sql(kind) for name, kind in wanted.items()},
            ).create(table)
    part.rename(out / "mcas.duckdb")
