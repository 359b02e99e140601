#!/usr/bin/env python3
"""Compares the recurrence engine with the text of RFC 5545 and RFC 7529, followed word by word, on random rules.

    tests/oracle/plain.py PROGRAM [--count N] [--seed N]

PROGRAM is the built `meridian`. Here every day, or second, of a rule is looked at, and each part of the rule asks of it what the table in RFC
5545, 3.3.10, says: slow, and too plain to be wrong in the same way as an engine that jumps. Made for what python-dateutil does not know or
does otherwise: SKIP, weeks at the turn of the year, weeks without weekdays, numbered beside plain weekdays, BYSETPOS in the first period,
seconds that leap. Without zones: what clocks do is compared elsewhere. Any difference fails.
"""

import sys
from calendar import isleap, monthrange
from datetime import date, datetime, timedelta

from program import expand, options

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]
SECONDS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
LIMIT = 30
# Years and finer periods that are looked at.
YEARS = 60
PERIODS = 20_000
# Of all answers, so many in a hundred may be cut short by the engine's budget.
MOST_CUT_SHORT = 10


def first_week(year, week_start):
    """The first day of the week with at least four days in the year."""
    new_year = date(year, 1, 1)
    into = (new_year.weekday() - week_start) % 7
    return new_year + timedelta(7 - into if into > 3 else -into)


def week_numbers(day, week_start):
    """The number of the day's week, counted from the beginning and from the end of the year that the week belongs to."""
    year = next(year for year in (day.year + 1, day.year, day.year - 1) if first_week(year, week_start) <= day)
    first = first_week(year, week_start)
    number = (day - first).days // 7
    return number + 1, number - (first_week(year + 1, week_start) - first).days // 7


def days_in(day):
    return monthrange(day.year, day.month)[1]


def is_weekday(day, numbered, in_year):
    nth, weekday = numbered
    if day.weekday() != weekday:
        return False
    first, last = (date(day.year, 1, 1), date(day.year, 12, 31)) if in_year else (day.replace(day=1), day.replace(day=days_in(day)))
    return nth in (0, (day - first).days // 7 + 1, -((last - day).days // 7 + 1))


def is_allowed(day, parts, stands_in):
    """Whether every part about days names this one. A day that stands in for a missing one is of the month that lacks it."""
    number, length = day.timetuple().tm_yday, 366 if isleap(day.year) else 365
    in_year = parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts
    checks = {
        "BYMONTH": lambda months: stands_in or day.month in months,
        "BYWEEKNO": lambda weeks: not {*week_numbers(day, parts.get("WKST", 0))}.isdisjoint(weeks),
        "BYYEARDAY": lambda days: not {number, number - length - 1}.isdisjoint(days),
        "BYMONTHDAY": lambda days: stands_in or not {day.day, day.day - days_in(day) - 1}.isdisjoint(days),
        "BYDAY": lambda days: any(is_weekday(day, numbered, in_year) for numbered in days),
    }
    return all(check(parts[name]) for name, check in checks.items() if name in parts)


def days_of_month(year, month, parts):
    """The days of a month with those that stand in for the ones it does not have, each with whether it does."""
    length = monthrange(year, month)[1]
    days = {date(year, month, day): False for day in range(1, length + 1)}
    if any(day > length for day in parts.get("BYMONTHDAY", [])):
        if parts.get("SKIP") == "BACKWARD":
            days[date(year, month, length)] = True
        if parts.get("SKIP") == "FORWARD":
            days[date(year, month, length) + timedelta(1)] = True
    return days


def days_of_periods(parts, start):
    """The days of one period after the other."""
    interval, step = parts.get("INTERVAL", 1), 0
    while True:
        if parts["FREQ"] == "YEARLY":
            year = start.year + step
            days = {}
            for month in range(1, 13):
                if month in parts.get("BYMONTH", range(1, 13)):
                    for day, stands_in in days_of_month(year, month, parts).items():
                        days[day] = days.get(day) or stands_in
        elif parts["FREQ"] == "MONTHLY":
            year, month = divmod(start.year * 12 + start.month - 1 + step, 12)
            is_named = month + 1 in parts.get("BYMONTH", range(1, 13))
            days = days_of_month(year, month + 1, parts) if is_named and year <= start.year + YEARS else {}
        elif parts["FREQ"] == "WEEKLY":
            first = start.date() - timedelta((start.weekday() - parts.get("WKST", 0)) % 7) + timedelta(7 * step)
            year, days = first.year, {first + timedelta(day): False for day in range(7)}
        else:
            first = start.date() + timedelta(step)
            year, days = first.year, {first: False}
        if year > start.year + YEARS:
            return
        yield days
        step += interval


def chosen(found, parts):
    if "BYSETPOS" not in parts:
        return found
    places = {place - 1 if place > 0 else len(found) + place for place in parts["BYSETPOS"]}
    return [at for place, at in enumerate(found) if place in places]


def sets(parts, start, is_day):
    """The set of each period, and until when all is known."""
    of_start = {"BYHOUR": [start.hour], "BYMINUTE": [start.minute], "BYSECOND": [start.second]}
    # A second that leaps is read as the one before it.
    times = {name: sorted({min(number, 59) for number in parts.get(name) or usual} if name == "BYSECOND" else parts.get(name) or usual)
             for name, usual in of_start.items()}
    times = {"BYHOUR": [0], "BYMINUTE": [0], "BYSECOND": [0]} if is_day else times
    if parts["FREQ"] not in SECONDS:
        for days in days_of_periods(parts, start):
            days = sorted(day for day, stands_in in days.items() if is_allowed(day, parts, stands_in))
            yield [datetime(day.year, day.month, day.day, hour, minute, second)
                   for day in days for hour in times["BYHOUR"] for minute in times["BYMINUTE"] for second in times["BYSECOND"]]
        return
    finer = {"HOURLY": ["BYMINUTE", "BYSECOND"], "MINUTELY": ["BYSECOND"], "SECONDLY": []}[parts["FREQ"]]
    at = start.replace(**{name[2:].lower(): 0 for name in finer})
    for _ in range(PERIODS):
        limits = [("BYHOUR", at.hour), ("BYMINUTE", at.minute), ("BYSECOND", at.second)]
        is_named = all(name in finer or name not in parts or field in times[name] for name, field in limits)
        if is_named and is_allowed(at.date(), parts, False):
            minutes = times["BYMINUTE"] if "BYMINUTE" in finer else [at.minute]
            seconds = times["BYSECOND"] if "BYSECOND" in finer else [at.second]
            yield [at.replace(minute=minute, second=second) for minute in minutes for second in seconds]
        else:
            yield []
        try:
            at += timedelta(seconds=SECONDS[parts["FREQ"]] * parts.get("INTERVAL", 1))
        except OverflowError:
            return


def expected(parts, start, is_day):
    """The first starts, as many as were looked for."""
    most = min(parts.get("COUNT", LIMIT), LIMIT)
    parts = dict(parts)
    # What the rule leaves open comes from the start.
    if not {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & parts.keys() and parts["FREQ"] in ("YEARLY", "MONTHLY", "WEEKLY"):
        if parts["FREQ"] == "WEEKLY" or "BYWEEKNO" in parts:
            parts["BYDAY"] = [(0, start.weekday())]
        else:
            if parts["FREQ"] == "YEARLY":
                parts.setdefault("BYMONTH", [start.month])
            parts["BYMONTHDAY"] = [start.day]
    found = []
    for period in sets(parts, start, is_day):
        # A day that stands in may be one of the next period as well.
        found += [at for at in chosen(period, parts) if at >= start and (not found or at > found[-1])]
        if len(found) >= most:
            break
    return found[:most], len(found) >= most


def some(rng, values, most):
    return rng.sample(values, rng.randint(1, most))


def signed(top):
    return [number for number in range(-top, top + 1) if number]


def make(rng, number):
    frequency = rng.choice(FREQUENCIES)
    is_fine, parts = frequency in SECONDS, {"FREQ": frequency}
    chance = lambda share: rng.random() < share
    is_day = not is_fine and chance(0.15)
    start = datetime(rng.choice([1996, 2000, 2019, 2020, 2023, 2024, 2099]), rng.randint(1, 12), 1, rng.choice([0, 9, 23]), rng.choice([0, 30, 59]), rng.choice([0, 59]))
    start += timedelta(rng.choice([0, 27, 28, 29, 30, rng.randint(0, 30)]))
    start = start.replace(hour=0, minute=0, second=0) if is_day else start
    if chance(0.5):
        parts["INTERVAL"] = rng.choice([1, 2, 3, 5, 7, 13, 52, 100, 365] + [1000, 86400, 99999] * is_fine)
    if chance(0.3):
        parts["BYMONTH"] = some(rng, range(1, 13), 3)
    if frequency == "YEARLY" and chance(0.35):
        parts["BYWEEKNO"] = rng.choice([[1], [53], [-1], [-53], [52], [1, 53], some(rng, signed(53), 3)])
    if (frequency == "YEARLY" or is_fine) and chance(0.25):
        parts["BYYEARDAY"] = rng.choice([[366], [-366], [1, -1], [60, -306], some(rng, signed(366), 60)])
    if frequency != "WEEKLY" and chance(0.35):
        parts["BYMONTHDAY"] = rng.choice([[31], [29], [-31], [-1], [1, -1], [30, 31], some(rng, signed(31), 4)])
    if chance(0.45):
        numbers = [1, -1, 5, -5, 2] + [9, 53] * (frequency == "YEARLY" and "BYMONTH" not in parts)
        is_numbered = frequency in ("YEARLY", "MONTHLY") and "BYWEEKNO" not in parts
        parts["BYDAY"] = [(rng.choice(numbers) if is_numbered and chance(0.4) else 0, day) for day in some(rng, range(7), 7)]
    for name, top in [("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 61)]:
        if not is_day and chance(0.2):
            parts[name] = some(rng, range(top), 4)
    if any(name.startswith("BY") for name in parts) and chance(0.35):
        parts["BYSETPOS"] = rng.choice([[1], [-1], [2, -2], [1, -1], [5], [-3, 3], [366], [-366]])
    if chance(0.4):
        parts["WKST"] = rng.randrange(7)
    if chance(0.4):
        parts |= {"RSCALE": "GREGORIAN", "SKIP": rng.choice(["OMIT", "BACKWARD", "FORWARD"])}
    if chance(0.3):
        parts["COUNT"] = rng.randint(1, 40)
    written = {"BYDAY": lambda days: ",".join(f"{nth or ''}{DAYS[day]}" for nth, day in days), "WKST": lambda day: DAYS[day]}
    usual = lambda value: ",".join(map(str, value)) if isinstance(value, list) else value
    rule = ";".join(f"{name}={written.get(name, usual)(value)}" for name, value in parts.items())
    form = "%Y%m%d" if is_day else "%Y%m%dT%H%M%S"
    return {"id": number, "dtstart": start.strftime(form), "tzid": None, "rrule": rule, "limit": LIMIT}, parts, start, is_day


def main():
    read, rng = options(__doc__, 7529)
    cases = [make(rng, number) for number in range(read.count)]
    results = expand(read.program, [case for case, *_ in cases])
    failures, cut = 0, 0
    for (case, parts, start, is_day), result in zip(cases, results):
        wanted, is_whole = expected(parts, start, is_day)
        wanted, got = [at.strftime("%Y%m%d" if is_day else "%Y%m%dT%H%M%S") for at in wanted], result["starts"]
        is_cut = result.get("truncated", False)
        cut += is_cut
        # Neither side is asked for what it did not look at: what both have must be the same.
        common = min(len(wanted), len(got)) if is_cut or not is_whole else max(len(wanted), len(got))
        later = [at for at in got[len(wanted):] if parts["FREQ"] not in SECONDS and int(at[:4]) <= start.year + YEARS]
        missing = len(got) < len(wanted) and not is_cut
        if "error" in result or wanted[:common] != got[:common] or missing or later:
            failures += 1
            if read.verbose or failures <= 10:
                print(case["dtstart"], case["rrule"], result.get("error", ""))
                print("    the text", wanted[:8], len(wanted))
                print("    ours    ", got[:8], len(got))
    print(f"{len(cases)} rules compared, {failures} differ, {cut} answers cut short by the budget")
    if cut * 100 > len(cases) * MOST_CUT_SHORT:
        failures += 1
        print(f"more than {MOST_CUT_SHORT} % were cut short")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
