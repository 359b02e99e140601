//! Why a text is no calendar, so that the owner of a subscription can be told what came instead.

/// A text that is not iCalendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCalendar {
    /// Nothing came.
    #[error("The answer is empty.")]
    Empty,
    /// A web page came, often a sign-in page.
    #[error("The answer is a web page, not a calendar.")]
    WebPage,
    /// Something else came.
    #[error("The answer is not a calendar.")]
    Other,
}

impl NotCalendar {
    /// What a text without calendar looks like.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
        if text.is_empty() {
            return Self::Empty;
        }
        let start = text.chars().take(1_000).collect::<String>().to_ascii_lowercase();
        if start.starts_with('<')
            && (start.contains("<html") || start.contains("<!doctype") || start.contains("<head"))
        {
            Self::WebPage
        } else {
            Self::Other
        }
    }
}
