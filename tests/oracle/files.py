#!/usr/bin/env python3
"""Compares what calendar files say takes place with PyPI icalendar and recurring-ical-events, on random files.

    tests/oracle/files.py PROGRAM [--count N] [--seed N]

PROGRAM is the built `meridian`. Files are made from a seed: single events and series in zones, floating and of whole days, with excluded and
additional starts, of which some are periods, ends in other zones, moved and cancelled occurrences, alone and for all that follow, definitions of zones written by icalendar, and shuffled
components. Both read the same file; starts are compared object by object, and any difference fails.

First starts are ones that their own rule names: with others RFC 5545, 3.8.5.3, leaves the set of occurrences undefined, and the two sides part.
Moves of all that follow an occurrence (RANGE=THISANDFUTURE) come without excluded starts, which the other side reckons among what is moved.
Additional starts are none whose digits in UTC are those of another start on the clocks of the series, nor the other way round: the other side
compares digits, so what excludes or replaces the one takes the other away as well.
An event that starts at a wall time which does not exist has a length where its end, which does exist, would lie before it: such ends are refused.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "America/Sao_Paulo", "Pacific/Auckland", "UTC"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WINDOW = (datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2028, 1, 1, tzinfo=timezone.utc))


def rule(rng, is_day):
    frequency = rng.choice(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={frequency}"]
    if rng.random() < 0.4:
        parts.append(f"INTERVAL={rng.randint(2, 4)}")
    if frequency == "WEEKLY" and rng.random() < 0.3:
        parts.append("WKST=" + rng.choice(["SU", "WE"]))
    if frequency == "DAILY" and rng.random() < 0.3:
        parts.append(rng.choice(["BYDAY=MO,WE,FR", "BYMONTH=1,6,12", "BYMONTHDAY=1,2,3,-1"]))
    if frequency == "WEEKLY" and rng.random() < 0.6:
        parts.append("BYDAY=" + ",".join(sorted(rng.sample(DAYS, rng.randint(1, 4)), key=DAYS.index)))
    if frequency == "MONTHLY" and rng.random() < 0.6:
        parts.append(rng.choice(["BYDAY=2TU", "BYDAY=-1FR", "BYMONTHDAY=1,15", "BYMONTHDAY=-1", "BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "BYMONTHDAY=31", "BYDAY=1SU,3SU"]))
    if frequency == "YEARLY" and rng.random() < 0.5:
        parts.append(rng.choice(["BYMONTH=3,10;BYDAY=-1SU", "BYMONTH=2;BYMONTHDAY=28,29", "BYDAY=1MO", "BYYEARDAY=1,100,-1", "BYWEEKNO=1,20;BYDAY=MO"]))
    return parts


def text(value, zone):
    """A date or wall time as a value with its parameters."""
    if not isinstance(value, datetime):
        return ";VALUE=DATE", value.strftime("%Y%m%d")
    if zone == "UTC":
        return "", value.strftime("%Y%m%dT%H%M%SZ")
    return (f";TZID={zone}" if zone else ""), value.strftime("%Y%m%dT%H%M%S")


def line(name, value, zone):
    params, written = text(value, zone)
    return f"{name}{params}:{written}"


def instant(at, zone):
    """The instant of a wall time; one that a change of clocks leaves out is later by as much (RFC 5545, 3.3.5), as without `fold`."""
    return at.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)


def is_before(end, start, zone):
    """Whether an end lies before its start although its wall time does not: the clocks leave the start out, which makes it later."""
    return zone is not None and instant(end, zone) < instant(start, zone)


def lasting(length):
    return f"P{length.days}D" if length.seconds == 0 else f"PT{int(length.total_seconds() // 60)}M"


def end_line(start, length, zone):
    """The end of an event by its wall time or, where that lies before the start, by the length: no event ends before it starts."""
    if is_before(start + length, start, zone):
        return f"DURATION:{lasting(length)}"
    return line("DTEND", start + length, zone)


def line_elsewhere(rng, name, start, length, zone):
    """The end of an event, as the clocks of another zone show it."""
    end = instant(start, zone) + length
    elsewhere = rng.choice([other for other in ZONES if other != zone])
    wall = end.astimezone(ZoneInfo(elsewhere)).replace(tzinfo=None)
    # Of a wall time that comes twice the first is meant, which may lie before the start.
    if instant(wall, elsewhere) < instant(start, zone):
        return f"DURATION:{lasting(length)}"
    return line(name, wall, elsewhere)


def period(rng, at, zone):
    """An additional start with a length or an end of its own (RFC 5545, 3.8.5.2)."""
    params, written = text(at, zone)
    minutes = rng.choice([15, 60, 600])
    last = at + timedelta(minutes=minutes)
    end = f"PT{minutes}M" if rng.random() < 0.5 or is_before(last, at, zone) else text(last, zone)[1]
    return f"RDATE;VALUE=PERIOD{params}:{written}/{end}"


def in_utc(at, zone):
    return instant(at, zone).replace(tzinfo=None)


def reads_like_another(at, zone, walls):
    """Whether a start, written in UTC, has the digits of a start of the series on its own clocks, or that one in UTC those of this one."""
    return zone not in (None, "UTC") and (in_utc(at, zone) in walls or any(in_utc(wall, zone) == at for wall in walls))


def starts_of(parts, start, extra, gone):
    """Wall times of a series in the window, by python-dateutil."""
    at_midnight = start if isinstance(start, datetime) else datetime.combine(start, datetime.min.time())
    found = rrulestr(";".join(parts), dtstart=at_midnight).between(datetime(2025, 12, 1), datetime(2028, 2, 1), inc=True)
    return sorted((set(found) | {at_midnight} | set(extra)) - set(gone))


def first_of(parts, begin, is_day):
    """The first start that the rule names from here on, if there is one."""
    begin = datetime.combine(begin.date(), datetime.min.time()) if is_day else begin
    return next(iter(rrulestr(";".join(parts), dtstart=begin).xafter(begin, count=1, inc=True)), None)


def make(rng, number):
    """The components of one object, and its zone."""
    kind = rng.choice(["zoned"] * 5 + ["day", "floating"])
    zone = rng.choice(ZONES) if kind == "zoned" else None
    is_day = kind == "day"
    begin = datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.choice([rng.randint(0, 3), rng.randint(0, 23)]), rng.choice([0, 15, 30]))
    parts, is_single = None, rng.random() < 0.15
    while not is_single and parts is None:
        parts = rule(rng, is_day)
        first = first_of(parts, begin, is_day)
        # Some never come true again: 29 February in every third year that is not a leap year.
        begin, parts = (first, parts) if first and first.year < 2029 else (begin, None)
    start = begin.date() if is_day else begin
    length = timedelta(days=rng.randint(1, 3)) if is_day else timedelta(minutes=rng.choice([0, 30, 60, 90, 1500]))
    form = lambda at: at.date() if is_day else at
    head = [f"UID:object-{number}", "DTSTAMP:20260101T000000Z", f"SUMMARY:Object {number}", line("DTSTART", start, zone)]
    if length and zone and rng.random() < 0.25:
        head.append(line_elsewhere(rng, "DTEND", start, length, zone))
    elif length:
        head.append(end_line(start, length, zone) if rng.random() < 0.7 else f"DURATION:{lasting(length)}")
    components = []
    if is_single:
        components.append(head)
    else:
        ending = rng.random()
        if ending < 0.4:
            parts.append(f"COUNT={rng.randint(1, 40)}")
            bounded = parts
        elif ending < 0.6:
            until = begin + timedelta(days=rng.randint(0, 500))
            if is_day:
                parts.append("UNTIL=" + until.strftime("%Y%m%d"))
            elif zone:
                parts.append("UNTIL=" + instant(until, zone).strftime("%Y%m%dT%H%M%SZ"))
            else:
                parts.append("UNTIL=" + until.strftime("%Y%m%dT%H%M%S"))
            # dateutil reckons in wall time here: the last day is compared with care below.
            bounded = parts[:-1] + ["UNTIL=" + until.strftime("%Y%m%dT%H%M%S")]
        else:
            bounded = parts
        walls = starts_of(bounded, start, [], [])
        extra = [begin + timedelta(days=rng.randint(1, 300), hours=0 if is_day else rng.randint(0, 5)) for _ in range(rng.choice([0, 0, 0, 1, 2]))]
        extra = [at for at in extra if not reads_like_another(at, zone, walls)]
        gone = rng.sample(walls, min(len(walls), rng.choice([0, 0, 1, 2])))
        series = head + ["RRULE:" + ";".join(parts)]
        for at in extra:
            series.append(line("RDATE", form(at), zone) if is_day or rng.random() < 0.5 else period(rng, at, zone))
        if gone:
            params, _ = text(form(gone[0]), zone)
            series.append(f"EXDATE{params}:" + ",".join(text(form(at), zone)[1] for at in gone))
        components.append(series)
        walls = sorted((set(walls) | set(extra)) - set(gone))
        candidates = walls[:30]
        for at in rng.sample(candidates, min(len(candidates), rng.choice([0, 0, 1, 2]))):
            moved = at + timedelta(days=rng.randint(-1, 2), minutes=0 if is_day else rng.choice([0, 45, 180]))
            change = [f"UID:object-{number}", "DTSTAMP:20260102T000000Z", "SEQUENCE:1", line("RECURRENCE-ID", form(at), zone)]
            change += [f"SUMMARY:Changed {number}", line("DTSTART", form(moved), zone)]
            if length:
                change.append(end_line(form(moved), length, zone))
            if rng.random() < 0.2:
                change.append("STATUS:CANCELLED")
            components.append(change)
        if len(components) == 1 and not is_day and not extra and not gone and rng.random() < 0.15 and len(candidates) > 2:
            at = candidates[len(candidates) // 2]
            moved = at + timedelta(minutes=45)
            params, written = text(at, zone)
            change = [f"UID:object-{number}", "DTSTAMP:20260102T000000Z", "SEQUENCE:1", f"RECURRENCE-ID;RANGE=THISANDFUTURE{params}:{written}"]
            change += [f"SUMMARY:Changed {number}", line("DTSTART", moved, zone)]
            if length:
                change.append(end_line(moved, length, zone))
            components.append(change)
    return [["BEGIN:VEVENT", *component, "END:VEVENT"] for component in components], zone


def fold(one):
    pieces, rest = [], one.encode()
    while len(rest) > 75:
        cut = 75 if not pieces else 74
        pieces.append(rest[:cut].decode())
        rest = rest[cut:]
    pieces.append(rest.decode())
    return "\r\n ".join(pieces)


@cache
def definition(zone):
    written = icalendar.Timezone.from_tzid(zone, first_date=date(2025, 1, 1), last_date=date(2030, 1, 1)).to_ical()
    return tuple(written.decode().replace("\r\n ", "").strip().split("\r\n"))


def file(rng, objects, zones):
    events = [component for components, _ in objects for component in components]
    rng.shuffle(events)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Oracle//Oracle//EN"]
    for zone in sorted(zones):
        lines += definition(zone)
    for event in events:
        lines += event
    lines.append("END:VCALENDAR")
    return "\r\n".join(fold(one) for one in lines) + "\r\n"


def written(value):
    if not isinstance(value, datetime):
        return value.strftime("%Y%m%d")
    if value.tzinfo is None:
        return value.strftime("%Y%m%dT%H%M%S")
    return value.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def theirs(content):
    calendar = icalendar.Calendar.from_ical(content)
    found = {}
    for event in recurring_ical_events.of(calendar, skip_bad_series=False).between(datetime(2025, 6, 1, tzinfo=timezone.utc), datetime(2028, 6, 1, tzinfo=timezone.utc)):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        found.setdefault(str(event["UID"]), []).append(written(event["DTSTART"].dt))
    return {uid: sorted(starts) for uid, starts in found.items()}


def ours(program, path):
    command = [program, "expand", str(path), "--from", "2025-06-01T00:00:00Z", "--until", "2028-06-01T00:00:00Z"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    objects = [json.loads(one) for one in done.stdout.splitlines()]
    return {one["id"]: sorted(one["starts"]) for one in objects}, [one for one in objects if one.get("problems") or one.get("truncated")]


def inside(starts):
    """Starts within the window: at its borders the two sides look at ends and zones in ways of their own."""
    first, last = WINDOW[0].strftime("%Y%m%d"), WINDOW[1].strftime("%Y%m%d")
    return [start for start in starts if first < start[:8] < last]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=100, help="files; each has ten objects")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    compared, failures = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.count):
            objects = [make(rng, number * 10 + index) for index in range(10)]
            named = {zone for components, _ in objects for component in components for one in component for zone in re.findall(r";TZID=([^;:]+)", one)}
            content = file(rng, objects, named)
            path = Path(folder) / "file.ics"
            path.write_bytes(content.encode())
            own, complaints = ours(arguments.program, path)
            if complaints:
                failures.append(f"file {number} has problems: {complaints[:2]}")
                continue
            other = theirs(content)
            for index, (components, _) in enumerate(objects):
                uid = f"object-{number * 10 + index}"
                here, there = inside(own.get(uid, [])), inside(other.get(uid, []))
                if here == there:
                    compared += 1
                else:
                    lines = "\n".join("\n".join(component) for component in components)
                    missing, more = sorted(set(there) - set(here)), sorted(set(here) - set(there))
                    failures.append(f"{uid}: only there {missing[:5]}, only here {more[:5]} ({len(here)} here, {len(there)} there)\n{lines}")
    print(f"{compared} objects equal, {len(failures)} different")
    for failure in failures[:10]:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
