"""What the comparisons of rules share: their options, and what the program says to their cases."""

import argparse
import json
import random
import subprocess
import tempfile


def options(doc, seed):
    """PROGRAM, --count, --seed and --verbose, read from the command line, and the generator that the seed starts."""
    arguments = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--count", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=seed)
    arguments.add_argument("--verbose", action="store_true")
    read = arguments.parse_args()
    return read, random.Random(read.seed)


def expand(program, cases):
    """One answer of the program for each case."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n".join(json.dumps(case) for case in cases))
        file.flush()
        output = subprocess.run([program, "expand", file.name], capture_output=True, text=True, check=True).stdout
    results = [json.loads(line) for line in output.splitlines()]
    assert len(results) == len(cases), "a line is missing"
    return results
