#!/usr/bin/env python3
"""Compares the recurrence engine with python-dateutil on random rules.

    tests/oracle/rules.py PROGRAM [--count N] [--seed N] [--verbose]

PROGRAM is the built `meridian`. Rules are made from a seed, expanded by both, and compared start by start. Where dateutil is known
to part from RFC 5545 the rule is not compared but counted under a named reason (see REASONS); any other difference fails.

Which rules are compared depends on the seed alone, never on how busy the machine is: dateutil walks, and its walk is cut off by the days it has
looked at. What it found until then is compared. So that a run cannot be right by comparing nothing, it fails when too few rules were compared
or too many answers were cut short, and a cut answer must be a beginning of what dateutil found.
"""

import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rules
from dateutil.rrule import rrulestr

from program import expand, options

# Differences that the text of RFC 5545 decides, with the words that decide them.
REASONS = {
    "numbered and plain weekdays": "3.3.10: BYDAY is a list of which each entry adds days; dateutil wants both kinds at once.",
    "week numbers without weekdays": "3.3.10: information that is not in the rule comes from DTSTART; dateutil takes all seven days.",
    "weeks at the turn of the year": "3.3.10 with ISO 8601: 1 January 2022 lies in week 52, and week -52 of a year with 52 weeks is week 1, "
    "which begins in December; dateutil misses such days.",
    "positions in the first week": "3.3.10: BYSETPOS counts within the whole interval of the FREQ; dateutil begins to count at DTSTART.",
}
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo",
         "America/Sao_Paulo", "Asia/Tokyo", "Pacific/Auckland", "Europe/Dublin", None, None]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]
LIMIT = 60
YEARS = 30
# Days that dateutil may look at for one rule: those of nearly twenty-two years.
WORK = 8_000
# Of all rules, so many in a hundred must be compared to their end …
LEAST_COMPARED = 70
# … and of the answers compared, so many may be cut short by the engine's budget.
MOST_CUT_SHORT = 2


def some(rng, values, most):
    return sorted(rng.sample(values, rng.randint(1, min(most, len(values)))))


def signed(rng, top, most):
    values = [n for n in range(-top, top + 1) if n]
    return some(rng, values, most)


def weekdays(rng, numbered_up_to):
    if not numbered_up_to or rng.random() < 0.5:
        return some(rng, DAYS, 7)
    days = [f"{n}{rng.choice(DAYS)}" for n in signed(rng, numbered_up_to, 3)]
    if rng.random() < 0.15:
        days.append(rng.choice(DAYS))
    return days


def make(rng, number):
    frequency = rng.choice(FREQUENCIES[:4] * 3 + FREQUENCIES[4:])
    level = FREQUENCIES.index(frequency)
    is_day = level <= 3 and rng.random() < 0.12
    parts = {"FREQ": frequency}
    if rng.random() < 0.5:
        tops = {"YEARLY": 6, "MONTHLY": 15, "WEEKLY": 12, "DAILY": 90, "HOURLY": 60, "MINUTELY": 3000, "SECONDLY": 200_000}
        parts["INTERVAL"] = rng.randint(1, tops[frequency])
    chance = lambda p: rng.random() < p
    if chance(0.3):
        parts["BYMONTH"] = some(rng, list(range(1, 13)), 4)
    if frequency == "YEARLY" and chance(0.2):
        parts["BYWEEKNO"] = signed(rng, 53, 3)
    if (frequency == "YEARLY" or level > 3) and chance(0.15):
        parts["BYYEARDAY"] = signed(rng, 366, 4 if level == 0 else 80)
    if frequency != "WEEKLY" and chance(0.3):
        parts["BYMONTHDAY"] = signed(rng, 31, 6)
    if chance(0.45):
        top = {"MONTHLY": 5, "YEARLY": 5 if "BYMONTH" in parts else 53}.get(frequency, 0)
        parts["BYDAY"] = weekdays(rng, 0 if "BYWEEKNO" in parts else top)
    if not is_day:
        if chance(0.25):
            parts["BYHOUR"] = some(rng, list(range(24)), 3 if level < 4 else 8)
        if chance(0.2):
            parts["BYMINUTE"] = some(rng, list(range(60)), 3 if level < 5 else 20)
        if chance(0.1):
            parts["BYSECOND"] = some(rng, list(range(60)), 2 if level < 6 else 20)
    if len([name for name in parts if name.startswith("BY")]) and chance(0.25):
        parts["BYSETPOS"] = signed(rng, rng.choice([2, 3, 10]), 2)
    if chance(0.3):
        parts["WKST"] = rng.choice(DAYS)
    start = datetime(rng.randint(1997, 2033), rng.randint(1, 12), rng.randint(1, 28),
                     rng.randint(0, 23), rng.choice([0, 15, 30, rng.randint(0, 59)]), rng.choice([0, 0, 0, rng.randint(0, 59)]))
    if chance(0.15):
        start = start.replace(month=rng.choice([1, 3, 5, 7, 8, 10, 12]), day=rng.choice([29, 30, 31]))
    if is_day:
        start = start.replace(hour=0, minute=0, second=0)
    zone = None if is_day else rng.choice(ZONES)
    ending = rng.random()
    if ending < 0.4:
        parts["COUNT"] = rng.randint(1, 50)
    elif ending < 0.7:
        until = start + timedelta(seconds=rng.randint(0, 6 * 365 * 86_400))
        if is_day:
            parts["UNTIL"] = until.strftime("%Y%m%d")
        elif zone:
            parts["UNTIL"] = instant(until, zone).strftime("%Y%m%dT%H%M%SZ")
        else:
            parts["UNTIL"] = until.strftime("%Y%m%dT%H%M%S")
    rule = ";".join(f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}" for name, value in parts.items())
    form = "%Y%m%d" if is_day else "%Y%m%dT%H%M%S"
    added, removed = [], []
    if chance(0.2):
        step = timedelta(days=1) if is_day else timedelta(hours=1)
        added = [start + step * rng.randint(0, 2000) for _ in range(2)]
        removed = [start, start + timedelta(days=rng.choice([1, 2, 7, 14])), rng.choice(added)]
    case = {"id": number, "dtstart": start.strftime(form), "tzid": zone, "value": "DATE" if is_day else "DATE-TIME",
            "rrule": rule, "exdate": [at.strftime(form) for at in removed], "rdate": [at.strftime(form) for at in added],
            "limit": LIMIT}
    return case, parts, start, (added, removed)


def instant(local, zone):
    """The instant of a wall time: a gap moves it forward, of two it is the first."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(timezone.utc).replace(tzinfo=None)


def reason(parts):
    days = parts.get("BYDAY", [])
    is_numbered = [len(day) > 2 for day in days]
    if any(is_numbered) and not all(is_numbered):
        return "numbered and plain weekdays"
    if "BYWEEKNO" in parts and not {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & parts.keys():
        return "week numbers without weekdays"
    if any(abs(week) >= 52 for week in parts.get("BYWEEKNO", [])):
        return "weeks at the turn of the year"
    if parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts:
        return "positions in the first week"
    return None


class TooFar(Exception):
    """dateutil has looked at WORK days."""


class Walk:
    """How many days dateutil may still look at. It asks for the days of each period it comes to, which is where they are counted."""

    left = 0

    @classmethod
    def counted(cls, method):
        def look(info, *place):
            found = method(info, *place)
            _, first, end = found
            cls.left -= end - first
            if cls.left < 0:
                raise TooFar
            return found

        return look


for name in ["ydayset", "mdayset", "wdayset", "ddayset"]:
    setattr(dateutil_rules._iterinfo, name, Walk.counted(getattr(dateutil_rules._iterinfo, name)))


def expected(case, parts, start, exceptions):
    """What dateutil says, at most LIMIT starts and none after YEARS years; until where that holds; and whether it came there at all."""
    zone = case["tzid"]
    text = ";".join(part for part in case["rrule"].split(";") if not part.startswith("UNTIL="))
    until = parts.get("UNTIL")
    last = start.replace(year=start.year + YEARS) if start.day < 29 else start.replace(year=start.year + YEARS, day=28)
    rule = rrulestr(text, dtstart=start).replace(until=last) if "COUNT" not in parts else rrulestr(text, dtstart=start)
    starts, seen, is_whole = [], set(), True
    Walk.left = WORK
    try:
        for local in rule:
            if local > last or len(starts) > LIMIT * 2:
                break
            at = instant(local, zone) if zone else local
            if until and at.strftime("%Y%m%dT%H%M%S")[: len(until.rstrip("Z"))] > until.rstrip("Z"):
                break
            # Two wall times can be one instant where clocks go forward.
            if at not in seen:
                seen.add(at)
                starts.append(at)
    except TooFar:
        if not starts:
            raise
        is_whole = False
    resolved = [[instant(at, zone) if zone else at for at in some] for some in exceptions]
    end = max(starts) if len(starts) > LIMIT * 2 or not is_whole else datetime.max
    bound = instant(last, zone) if zone else last
    # Behind the last one that it found it may have found more.
    bound = bound if is_whole else min(bound, end)
    starts = sorted((set(starts) | {at for at in resolved[0] if at <= end}) - set(resolved[1]))
    form = "%Y%m%d" if case["value"] == "DATE" else "%Y%m%dT%H%M%SZ" if zone else "%Y%m%dT%H%M%S"
    return [at.strftime(form) for at in starts][:LIMIT], bound.strftime(form), is_whole


def main():
    read, rng = options(__doc__, 5545)
    cases = [make(rng, number) for number in range(read.count)]
    results = expand(read.program, [case for case, *_ in cases])
    decided, failures, whole, cut = Counter(), 0, 0, 0
    for (case, parts, start, exceptions), result in zip(cases, results):
        if why := reason(parts):
            decided[why] += 1
            continue
        try:
            wanted, bound, is_whole = expected(case, parts, start, exceptions)
        except ValueError:
            # dateutil says of a rule that never occurs that it is wrong.
            decided["refused by dateutil"] += 1
            continue
        except TooFar:
            decided["too far for dateutil"] += 1
            continue
        got = [at for at in result["starts"] if at <= bound][:LIMIT]
        whole += is_whole
        decided["compared until dateutil was cut off"] += not is_whole
        # An answer that says it was cut short is right as far as it goes, if it goes anywhere.
        if result.get("truncated") and wanted != got and got and wanted[: len(got)] == got:
            cut += 1
            continue
        if "error" in result or wanted != got:
            failures += 1
            if read.verbose or failures <= 10:
                print(case["dtstart"], case["tzid"], case["rrule"], result.get("error", ""), "truncated" if result.get("truncated") else "")
                print("    dateutil", wanted[:8], len(wanted))
                print("    ours    ", got[:8], len(got))
    print(f"{whole} of {len(cases)} rules compared to their end, {failures} differ, {cut} answers cut short by the budget")
    for why, number in decided.items():
        print(f"  {number:5} {why}: {REASONS.get(why, 'not a difference')}")
    if whole * 100 < len(cases) * LEAST_COMPARED:
        failures += 1
        print(f"fewer than {LEAST_COMPARED} % were compared")
    if cut * 100 > len(cases) * MOST_CUT_SHORT:
        failures += 1
        print(f"more than {MOST_CUT_SHORT} % were cut short")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
