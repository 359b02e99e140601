//! Reading rules: what is taken, what is mended and what is refused, with words that help; and rules in English.

use super::super::{Moment, Reason, Rule, Start};
use super::{rule, start, zone};

#[test]
fn rules_have_one_text() {
    for (text, canonical) in [
        ("freq=daily", "FREQ=DAILY"),
        (
            "RRULE:FREQ=WEEKLY;BYDAY=WE,MO,MO;INTERVAL=1;WKST=MO",
            "FREQ=WEEKLY;BYDAY=MO,WE",
        ),
        (
            "BYMONTHDAY=-1,31,+1;FREQ=MONTHLY",
            "FREQ=MONTHLY;BYMONTHDAY=1,31,-1",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR,2TU;COUNT=7",
            "FREQ=MONTHLY;COUNT=7;BYDAY=2TU,-1FR",
        ),
        (
            "FREQ=DAILY;UNTIL=20261231T220000Z",
            "FREQ=DAILY;UNTIL=20261231T220000Z",
        ),
        (
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD",
        ),
        (
            "FREQ=YEARLY;WKST=SU;BYWEEKNO=01",
            "FREQ=YEARLY;BYWEEKNO=1;WKST=SU",
        ),
        (
            "FREQ=SECONDLY;INTERVAL=99999999999",
            "FREQ=SECONDLY;INTERVAL=99999999999",
        ),
    ] {
        assert_eq!(
            Rule::parse(text).map(|rule| rule.to_string()),
            Ok(canonical.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn slips_are_errors_by_the_letter_and_mended_otherwise() {
    for (text, part, mended) in [
        (
            "FREQ=DAILY;COUNT=3;UNTIL=20260101",
            "COUNT",
            "FREQ=DAILY;UNTIL=20260101",
        ),
        (
            "FREQ=DAILY;UNTIL=20260101;COUNT=3",
            "COUNT",
            "FREQ=DAILY;UNTIL=20260101",
        ),
        ("FREQ=DAILY;COUNT=0", "COUNT", "FREQ=DAILY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL", "FREQ=DAILY"),
        ("FREQ=DAILY;BYSETPOS=2", "BYSETPOS", "FREQ=DAILY"),
        ("FREQ=WEEKLY;BYDAY=1MO,MO", "BYDAY", "FREQ=WEEKLY;BYDAY=MO"),
        (
            "FREQ=YEARLY;BYWEEKNO=3;BYDAY=2MO",
            "BYDAY",
            "FREQ=YEARLY;BYDAY=MO;BYWEEKNO=3",
        ),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO", "FREQ=MONTHLY;BYWEEKNO=3"),
        (
            "FREQ=MONTHLY;BYYEARDAY=3",
            "BYYEARDAY",
            "FREQ=MONTHLY;BYYEARDAY=3",
        ),
        (
            "FREQ=WEEKLY;BYMONTHDAY=3",
            "BYMONTHDAY",
            "FREQ=WEEKLY;BYMONTHDAY=3",
        ),
        (
            "FREQ=MONTHLY;SKIP=BACKWARD",
            "SKIP",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD",
        ),
        ("FREQ=DAILY;X-MINE=1", "X-MINE", "FREQ=DAILY"),
    ] {
        let error = Rule::parse(text).unwrap_err();
        assert_eq!(error.part, part, "{text}");
        let (rule, notes) = Rule::read(text).unwrap();
        assert_eq!(
            (rule.to_string().as_str(), &notes[..]),
            (mended, &[error][..]),
            "{text}"
        );
    }
}

#[test]
fn bad_rules_are_refused_with_the_part_and_the_reason() {
    for (text, sentence) in [
        ("", "The recurrence rule is empty."),
        ("RRULE:", "The recurrence rule is empty."),
        ("COUNT=3", "The recurrence rule has no `FREQ`."),
        ("FREQ=DAILY;FREQ=DAILY", "`FREQ` is given twice."),
        (
            "FREQ=DAILY;COUNT",
            "`COUNT` must be a name and a value with `=` between them.",
        ),
        ("FREQ=DAILY;COUNT=many", "`COUNT` must be a whole number."),
        ("FREQ=DAILY;BYHOUR=24", "`BYHOUR` must be between 0 and 23."),
        (
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "`BYMONTHDAY` must be a list of numbers other than 0.",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-32",
            "`BYMONTHDAY` must be between -31 and 31.",
        ),
        ("FREQ=MONTHLY;BYDAY=60MO", "`BYDAY` must be between -53 and 53."),
        (
            "FREQ=DAILY;BYDAY=é",
            "`BYDAY` must be a list of weekdays such as `MO`, `2TU` or `-1FR`.",
        ),
        ("FREQ=YEARLY;BYMONTH=5L", "`BYMONTH` must be a list of numbers."),
        (
            "FREQ=DAILY;UNTIL=tomorrow",
            "`UNTIL` must be a date such as `20261231` or a time such as `20261231T220000Z`.",
        ),
        (
            "FREQ=YEARLY;RSCALE=CHINESE",
            "The calendar `CHINESE` is not supported; only `GREGORIAN` is.",
        ),
    ] {
        for error in [Rule::parse(text).unwrap_err(), Rule::read(text).unwrap_err()] {
            assert_eq!(error.to_string(), sentence, "{text}");
        }
    }
    let long = format!("FREQ=DAILY;BYHOUR={}", "1,".repeat(3_000));
    assert_eq!(Rule::read(&long).unwrap_err().reason, Reason::TooLong);
}

#[test]
fn new_series_are_checked_against_their_start() {
    let zone = zone("Europe/Berlin");
    let floating = match "20260105T090000".parse() {
        Ok(Moment::Local(local)) => Start::Floating(local),
        _ => panic!("a wall time"),
    };
    for (text, begin, part) in [
        ("FREQ=DAILY", start("20260105T090000"), None),
        (
            "FREQ=DAILY;UNTIL=20260105T080000Z",
            start("20260105T090000"),
            None,
        ),
        ("FREQ=DAILY;UNTIL=20260105", start("20260105T090000"), None),
        (
            "FREQ=DAILY;UNTIL=20260105T075959Z",
            start("20260105T090000"),
            Some("UNTIL"),
        ),
        (
            "FREQ=DAILY;UNTIL=20260104",
            start("20260105T090000"),
            Some("UNTIL"),
        ),
        ("FREQ=DAILY;UNTIL=20260104", start("20260105"), Some("UNTIL")),
        (
            "FREQ=DAILY;UNTIL=20260107T000000Z",
            start("20260105"),
            Some("UNTIL"),
        ),
        ("FREQ=DAILY;UNTIL=20260107T000000Z", floating, Some("UNTIL")),
        ("FREQ=DAILY;BYHOUR=9", start("20260105"), Some("BYHOUR")),
        ("FREQ=HOURLY", start("20260105T090000"), Some("FREQ")),
        ("FREQ=HOURLY;COUNT=5", start("20260105T090000"), None),
        ("FREQ=HOURLY;COUNT=5", start("20260105"), Some("FREQ=HOURLY")),
        ("FREQ=MINUTELY;COUNT=5", start("20260105T090000"), Some("FREQ")),
        ("FREQ=DAILY;COUNT=100001", start("20260105T090000"), Some("COUNT")),
        (
            "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
            start("20260105T090000"),
            Some(""),
        ),
        (
            "FREQ=YEARLY;BYMONTH=6;BYWEEKNO=1;UNTIL=20300101",
            start("20260105T090000"),
            Some(""),
        ),
    ] {
        let outcome = rule(text).check_new(begin, &zone);
        assert_eq!(
            outcome.err().map(|error| error.part),
            part.map(str::to_owned),
            "{text}"
        );
    }
}

#[test]
fn rules_are_said_in_english_when_that_is_simple() {
    let berlin = zone("Europe/Berlin");
    for (text, sentence) in [
        ("FREQ=DAILY", "Every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Every 3 days, 5 times"),
        ("FREQ=DAILY;COUNT=1", "Every day, once"),
        ("FREQ=DAILY;BYMONTH=1,2", "Every day in January and February"),
        ("FREQ=DAILY;BYDAY=MO", "Every week on Monday"),
        ("FREQ=WEEKLY", "Every week"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20270305",
            "Every 2 weeks on Monday and Wednesday, until 5 March 2027",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU",
            "Every 2 weeks on Monday, Wednesday and Friday",
        ),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday"),
        (
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9;BYMINUTE=30",
            "Every weekday at 09:30",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,17;BYMINUTE=0",
            "Every week on Monday at 09:00 and 17:00",
        ),
        ("FREQ=MONTHLY", "Every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "Every month on day 15"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,-1",
            "Every month on day 1 and the last day",
        ),
        ("FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"),
        (
            "FREQ=MONTHLY;BYDAY=1MO,-2FR",
            "Every month on the first Monday and the second to last Friday",
        ),
        ("FREQ=MONTHLY;BYDAY=MO", "Every month on every Monday"),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "Every month on day 13 if it is a Friday",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "Every month on the last weekday",
        ),
        (
            "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2",
            "Every month on the second Tuesday",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=3,6",
            "Every month on day 1 of March and June",
        ),
        ("FREQ=YEARLY", "Every year"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8", "Every year on 8 March"),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=4TH",
            "Every 4 years on the fourth Thursday of November",
        ),
        (
            "FREQ=YEARLY;BYDAY=20MO",
            "Every year on the 20th Monday of the year",
        ),
        (
            "FREQ=YEARLY;BYYEARDAY=100,-1",
            "Every year on day 100 and the last day of the year",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            "Every year on Monday of week 20",
        ),
        ("FREQ=HOURLY;INTERVAL=3", "Every 3 hours"),
        // New Year's Eve ends on the last day where the series is, not in UTC.
        (
            "FREQ=DAILY;UNTIL=20261231T230000Z",
            "Every day, until 1 January 2027",
        ),
        ("FREQ=DAILY;UNTIL=20261231", "Every day, until 31 December 2026"),
    ] {
        assert_eq!(rule(text).summary(&berlin).as_deref(), Some(sentence), "{text}");
    }
    for text in [
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
        "FREQ=YEARLY;BYWEEKNO=-3",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;BYSECOND=7",
        "FREQ=MONTHLY;BYMONTHDAY=1,2,3,4,5,6,7,8",
        "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD",
    ] {
        assert_eq!(rule(text).summary(&berlin), None, "{text}");
    }
}

#[test]
fn rules_are_said_in_the_language_of_the_reader() {
    let berlin = zone("Europe/Berlin");
    for (text, sentence) in [
        ("FREQ=DAILY", "Jeden Tag"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Alle 3 Tage, 5-mal"),
        ("FREQ=DAILY;COUNT=1", "Jeden Tag, einmal"),
        ("FREQ=DAILY;BYMONTH=1,3", "Jeden Tag im Januar und März"),
        ("FREQ=DAILY;BYDAY=MO", "Jede Woche am Montag"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20270305",
            "Alle 2 Wochen am Montag und Mittwoch, bis zum 5. März 2027",
        ),
        (
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9,17;BYMINUTE=30",
            "Montag bis Freitag um 09:30 und 17:30 Uhr",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "Jeden Monat am 15."),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,-1",
            "Jeden Monat am 1. und am letzten Tag",
        ),
        (
            "FREQ=MONTHLY;BYDAY=1MO,-2FR",
            "Jeden Monat am ersten Montag und am vorletzten Freitag",
        ),
        ("FREQ=MONTHLY;BYDAY=MO", "Jeden Monat an jedem Montag"),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "Jeden Monat am 13., wenn es ein Freitag ist",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "Jeden Monat am letzten Tag von Montag bis Freitag",
        ),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8", "Jedes Jahr am 8. März"),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=4TH",
            "Alle 4 Jahre am vierten Donnerstag im November",
        ),
        ("FREQ=YEARLY;BYDAY=20MO", "Jedes Jahr am 20. Montag des Jahres"),
        (
            "FREQ=YEARLY;BYYEARDAY=100,-1",
            "Jedes Jahr am 100. Tag und am letzten Tag des Jahres",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            "Jedes Jahr am Montag der Kalenderwoche 20",
        ),
    ] {
        for locale in ["de", "de-AT", "DE_ch"] {
            let said = rule(text).summary_in(&berlin, locale);
            assert_eq!(said.as_deref(), Some(sentence), "{text}");
        }
    }
    // What has no table is said in English; what has no simple words has none in any language.
    for locale in ["en-GB", "fr", "deu-x", ""] {
        let said = rule("FREQ=WEEKLY;BYDAY=MO").summary_in(&berlin, locale);
        assert_eq!(said.as_deref(), Some("Every week on Monday"), "{locale}");
    }
    assert_eq!(rule("FREQ=DAILY;BYHOUR=9").summary_in(&berlin, "de"), None);
}
