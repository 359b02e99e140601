//! The quick way and the driver's own, compared on what is written, on damaged texts and on odd ones.

use chrono::{SecondsFormat, TimeZone as _};

use super::*;

/// As the driver reads an instant.
fn any_instant(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// As the driver reads a wall time in the form that it writes.
fn any_local(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%F %T%.f").ok()
}

fn any_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%F").ok()
}

/// The same numbers in every run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, of: u64) -> u64 {
        self.next() % of
    }
}

/// An instant of the years 0 to 9999, with as many digits behind the point as databases keep.
fn some_instant(random: &mut Random) -> DateTime<Utc> {
    let seconds = -62_167_219_200 + i64::try_from(random.below(315_569_520_000)).unwrap();
    let nanos = u32::try_from(random.below(1_000_000_000)).unwrap();
    let nanos = match random.below(4) {
        0 => 0,
        1 => nanos / 1_000_000 * 1_000_000,
        2 => nanos / 1_000 * 1_000,
        _ => nanos,
    };
    Utc.timestamp_opt(seconds, nanos).unwrap()
}

/// As the driver writes an instant, a wall time and a day.
fn written(at: DateTime<Utc>) -> [String; 3] {
    let local = at.naive_utc();
    [
        at.to_rfc3339_opts(SecondsFormat::AutoSi, false),
        local.format("%F %T%.f").to_string(),
        local.format("%F").to_string(),
    ]
}

#[test]
fn what_is_written_is_read_back() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let at = some_instant(&mut random);
        let [as_instant, as_local, as_day] = written(at);
        assert_eq!(instant(&as_instant), Some(at), "{as_instant}");
        assert_eq!(local(&as_local), Some(at.naive_utc()), "{as_local}");
        assert_eq!(day(&as_day), Some(at.date_naive()), "{as_day}");
    }
}

/// Whatever is read is what the driver reads; the rest is left to it.
fn compare(text: &str) {
    if let Some(at) = instant(text) {
        assert_eq!(any_instant(text), Some(at), "{text}");
    }
    if let Some(at) = local(text) {
        assert_eq!(any_local(text), Some(at), "{text}");
        assert_eq!(
            any_instant(text),
            None,
            "the driver would have taken it for an instant: {text}"
        );
    }
    if let Some(date) = day(text) {
        assert_eq!(any_day(text), Some(date), "{text}");
    }
}

#[test]
fn damaged_texts_are_read_as_the_driver_reads_them() {
    const OTHERS: [char; 16] = [
        '0', '1', '2', '3', '6', '9', '-', '+', ':', '.', ' ', 'T', 'Z', 't', 'é', '\0',
    ];
    let mut random = Random(2);
    for _ in 0..50_000 {
        let at = some_instant(&mut random);
        let mut letters: Vec<char> = written(at)[random.below(3) as usize].chars().collect();
        for _ in 0..=random.below(2) {
            let place = random.below(letters.len() as u64) as usize;
            let other = OTHERS[random.below(16) as usize];
            match random.below(3) {
                0 => letters[place] = other,
                1 => letters.insert(place, other),
                _ => {
                    letters.remove(place);
                }
            }
        }
        compare(&letters.into_iter().collect::<String>());
    }
}

#[test]
fn odd_texts_are_left_to_the_driver() {
    for text in [
        "",
        "2026",
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00+01:00",
        "2026-03-02T08:00:00-00:00",
        "2026-03-02 08:00:00+00:00",
        "2026-03-02T08:00+00:00",
        "2026-03-02T08:00:60+00:00",
        "2026-03-02T24:00:00+00:00",
        "2026-02-29T08:00:00+00:00",
        "2026-13-02T08:00:00+00:00",
        "2026-00-02T08:00:00+00:00",
        "2026-03-02T08:00:00.+00:00",
        "2026-03-02T08:00:00.1+00:00",
        "2026-03-02T08:00:00.1234567890+00:00",
        "+2026-03-02T08:00:00+00:00",
        "12026-03-02T08:00:00+00:00",
        "-026-03-02T08:00:00+00:00",
        "2026-03-02T08:00:00.12é+00:00",
        "1772438400",
        "2461101.8",
    ] {
        assert_eq!(instant(text), None, "{text}");
    }
    for text in [
        "2026-03-02T09:00:00",
        "2026-03-02 09:00",
        "2026-03-02 09:00:00.",
        "2026-03-02 09:00:00Z",
    ] {
        assert_eq!(local(text), None, "{text}");
    }
    for text in ["2026-3-02", "2026-02-30", "+2026-03-02", "2026-03-02 "] {
        assert_eq!(day(text), None, "{text}");
    }
    // Those years that are longer are written with a sign.
    for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        written(at).iter().for_each(|text| compare(text));
    }
}
