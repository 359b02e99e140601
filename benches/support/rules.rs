//! Rules to measure with.

/// A mixture such as calendars hold.
pub(crate) fn usual(index: usize) -> String {
    let day = ["MO", "TU", "WE", "TH", "FR"][index % 5];
    match index % 10 {
        0..=3 => format!("FREQ=WEEKLY;BYDAY={day}"),
        4 => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        5 => format!("FREQ=WEEKLY;INTERVAL=2;BYDAY={day}"),
        6 => format!("FREQ=MONTHLY;BYDAY=2{day}"),
        7 => "FREQ=MONTHLY;BYMONTHDAY=15".to_owned(),
        8 => format!("FREQ=WEEKLY;BYDAY={day};COUNT=400"),
        _ => "FREQ=DAILY".to_owned(),
    }
}
