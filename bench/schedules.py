"""Tick times by other means than ours: dateutil's rrule or a plain walk over every minute of a day gives the wall-clock times,
zoneinfo (PEP 495) the instants. One JSON line per time zone. Needs python-dateutil, and the tzdata package of the release that
Node carries (`node -p process.versions.tz`; 2026c is tzdata 2026.3), run with PYTHONTZPATH="" so that it is the one used.

    PYTHONTZPATH="" python bench/schedules.py [every n-th zone]
"""

import hashlib
import json
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

from dateutil import rrule

FIRST, LAST = datetime(2000, 1, 1), datetime(2040, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)

# Name, DAYS, MONTHS, DAYS-OF-WEEK (0 is Sunday), minutes of the day, whether its hours follow the clock, and whether only days
# around a change of the clock are compared.
ALL = range(0, 32)
CRONS = [
    ("0 3 * * *", ALL, ALL, range(7), [180], False, False),
    ("30 2 * * *", ALL, ALL, range(7), [150], False, False),
    ("0,30 0,1,2,3 * * *", ALL, ALL, range(7), [h * 60 + m for h in (0, 1, 2, 3) for m in (0, 30)], False, True),
    ("*/20 * * * *", ALL, ALL, range(7), range(0, 1440, 20), True, True),
    ("7 */2 * * *", ALL, ALL, range(7), range(7, 1440, 120), True, True),
    ("15 1-4 * * *", ALL, ALL, range(7), [75, 135, 195, 255], True, True),
    ("45 23 1,15 * *", (1, 15), ALL, range(7), [23 * 60 + 45], False, False),
    ("30 2 * 3,10,11 sun", ALL, (3, 10, 11), (0,), [150], False, False),
    ("0 4 13 * 5", (13,), ALL, (5,), [240], False, False),
    ("30 0 29 feb *", (29,), (2,), range(7), [30], False, False),
]

DAYS = {"monday": rrule.MO, "sunday": rrule.SU, "wednesday": rrule.WE}
FREQUENCIES = {"day": rrule.DAILY, "week": rrule.WEEKLY, "month": rrule.MONTHLY}
RECURRENCES = [
    ("2000-01-03T01:30:00", "week", 2, {"hours": [2], "minutes": [30], "week_days": ["sunday", "monday"]}),
    ("2000-01-31T02:15:00", "month", 1, None),
    ("2000-01-31T02:15:10", "month", 5, {"hours": [0, 2], "minutes": [0, 59], "month_days": [1, 29, 31]}),
    ("2000-02-03T00:00:00", "week", 3, None),
    ("2001-05-06T02:00:00", "day", 9, {"hours": [1, 2, 3], "minutes": [0, 45]}),
    ("2000-01-01T12:00:00", "month", 2, {"hours": [3], "minutes": [0], "week_days": ["wednesday"]}),
]
ELAPSED = [("2000-03-04T05:06:07", "hour", 700), ("2000-03-04T05:06:07", "minute", 99_999)]


def instant(local, zone, fold=0):
    return int((local.replace(tzinfo=zone, fold=fold) - EPOCH).total_seconds())


def exists(local, zone, fold):
    aware = local.replace(tzinfo=zone, fold=fold)
    return aware.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) == local


def instants(local, zone, follows):
    if not follows:
        return {instant(local, zone)}
    return {instant(local, zone, fold) for fold in (0, 1) if exists(local, zone, fold)}


def changes(zone):
    """Dates near which the zone's distance from UTC changes."""
    found, moment, before = [], FIRST - timedelta(days=2), None
    while moment < LAST:
        offset = moment.replace(tzinfo=timezone.utc).astimezone(zone).utcoffset()
        if before is not None and offset != before:
            found.append(moment)
        before, moment = offset, moment + 6 * HOUR
    return found


def cron_days(days, months, week_days, first, last):
    day = first
    while day < last:
        if day.day in days and day.month in months and day.isoweekday() % 7 in week_days:
            yield day
        day += timedelta(days=1)


def case(name, trigger, first, last, found):
    text = " ".join(str(each) for each in sorted(found))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"name": name, "trigger": trigger, "after": first, "until": last, "count": len(found), "hash": digest}


def cron_cases(name, zone):
    for expression, days, months, week_days, minutes, follows, near in CRONS:
        trigger = {"type": "cron", "expression": expression, "time_zone": name, "start_time": "2000-01-01T00:00:00"}
        spans = [(FIRST, LAST)]
        if near:
            spans = [(each.replace(hour=0) - timedelta(days=3), each.replace(hour=0) + timedelta(days=3)) for each in changes(zone)]
        for start, end in spans:
            first, last = instant(start, timezone.utc), instant(end, timezone.utc)
            found = set()
            for day in cron_days(days, months, week_days, start - timedelta(days=3), end + timedelta(days=3)):
                for minute in minutes:
                    found |= instants(day + timedelta(minutes=minute), zone, follows)
            begin = instant(FIRST, zone)
            yield case(expression, trigger, first, last, {each for each in found if first < each <= last and each >= begin})


def recurrence_cases(name, zone):
    first, last = instant(FIRST, timezone.utc), instant(LAST, timezone.utc)
    for start_time, frequency, interval, pattern in RECURRENCES:
        start = datetime.fromisoformat(start_time)
        trigger = {"type": "recurrence", "frequency": frequency, "interval": interval, "time_zone": name, "start_time": start_time}
        rule = {"dtstart": start, "interval": interval, "wkst": rrule.MO, "until": LAST + timedelta(days=3)}
        if pattern is not None:
            trigger["schedule"] = pattern
            # Counting starts with the day, not with the time of day.
            rule |= {"dtstart": start.replace(hour=0, minute=0, second=0), "byhour": pattern["hours"], "byminute": pattern["minutes"], "bysecond": 0}
            rule |= {"byweekday": [DAYS[day] for day in pattern["week_days"]]} if "week_days" in pattern else {}
            rule |= {"bymonthday": pattern["month_days"]} if "month_days" in pattern else {}
        found = {instant(local, zone) for local in rrule.rrule(FREQUENCIES[frequency], **rule)}
        begin = instant(start, zone)
        yield case(f"{frequency} {interval}", trigger, first, last, {each for each in found if begin <= each <= last and each > first})
    for start_time, frequency, interval in ELAPSED:
        begin = instant(datetime.fromisoformat(start_time), zone)
        trigger = {"type": "recurrence", "frequency": frequency, "interval": interval, "time_zone": name, "start_time": start_time}
        step = interval * (60 if frequency == "minute" else 3600)
        yield case(f"{frequency} {interval}", trigger, first, last, set(range(begin, last + 1, step)))


def main():
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for name in sorted(available_timezones())[::every]:
        zone = ZoneInfo(name)
        cases = [*cron_cases(name, zone), *recurrence_cases(name, zone)]
        print(json.dumps({"zone": name, "changes": len(changes(zone)), "cases": cases}), flush=True)


main()
