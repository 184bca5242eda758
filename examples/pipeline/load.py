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


# Longer lines DuckDB refuses, unless it is told.
LONGEST = 16 << 20


def longest_line(files):
    """In bytes; of a message, all parameters are in one."""
    longest = LONGEST
    for file in files:
        if file.stat().st_size > LONGEST:
            with open(file, "rb") as lines:
                longest = max(longest, *map(len, lines))
    return longest


def load(out, fields):
    """The types are the schema's: nothing is guessed from the first lines."""
    part = out / "mcas.duckdb.part"
    part.unlink(missing_ok=True)
    with duckdb.connect(str(part)) as database:
        for table, wanted, ending in [
            ("captures", CAPTURES, "json"),
            ("exchanges", columns(fields), "ndjson"),
        ]:
            files = sorted((out / table).rglob(f"*.{ending}"))
            database.read_json(
                # DuckDB takes a name for a pattern.
                [glob.escape(str(file)) for file in files],
                format="newline_delimited",
                columns={name: sql(kind) for name, kind in wanted.items()},
                maximum_object_size=longest_line(files),
            ).create(table)
    part.rename(out / "mcas.duckdb")
