"""Copies what fill.sql made from PostgreSQL into a migrated SQLite database, in the forms that the server stores.

Usage: to_sqlite.py PSQL POSTGRES_URL SQLITE_FILE
"""

import csv
import sqlite3
import subprocess
import sys

TABLES = """users user_preferences api_tokens workspaces workspace_counters memberships calendars tasks task_labels
calendar_events""".split()


def text_of_instant(value):
    """From `2026-06-01 08:00:00+00` to the RFC 3339 text in which instants are stored and compared."""
    date, time = value.split(" ")
    return f"{date}T{time.removesuffix('+00')}+00:00"


CONVERSIONS = {
    "uuid": lambda value: bytes.fromhex(value.replace("-", "")),
    "bytea": lambda value: bytes.fromhex(value.removeprefix("\\x")),
    "bool": lambda value: int(value == "t"),
    "timestamptz": text_of_instant,
    "int2": int,
    "int4": int,
    "int8": int,
}


def psql(program, url, sql):
    command = [program, "--no-psqlrc", "--quiet", "--csv", "--tuples-only", url, "-c", "SET timezone = 'UTC'", "-c", sql]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main(program, url, path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = off")
    for table in TABLES:
        sql = f"SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid \
                WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        with psql(program, url, sql) as columns:
            columns = list(csv.reader(columns.stdout))
        names = ", ".join(f'"{name}"' for name, _ in columns)
        convert = [CONVERSIONS.get(kind, str) for _, kind in columns]
        marks = ", ".join("?" * len(columns))
        # No value of the data is empty text, so an empty field is a null.
        with psql(program, url, f"COPY {table} TO STDOUT (FORMAT csv)") as rows:
            values = (
                [step(field) if field else None for step, field in zip(convert, row)] for row in csv.reader(rows.stdout)
            )
            database.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        if rows.returncode:
            raise SystemExit(f"{table} could not be read")
    # Without ANALYZE: no installation has statistics either, and plans must be good without them.
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


main(*sys.argv[1:])
