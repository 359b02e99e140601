//! JSON into one buffer.

use uuid::Uuid;

use crate::scalars;

/// An answer in the making. Names are written with what stands before and after them, as constants.
pub(crate) struct Json(Vec<u8>);

impl Json {
    pub(crate) fn new(start: &str) -> Self {
        let mut buffer = Vec::with_capacity(1024);
        buffer.extend_from_slice(start.as_bytes());
        Self(buffer)
    }

    /// Text that is JSON already.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push(b'"');
        let mut start = 0;
        for (index, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.0.extend_from_slice(&text.as_bytes()[start..index]);
            start = index + 1;
            match byte {
                b'"' => self.0.extend_from_slice(b"\\\""),
                b'\\' => self.0.extend_from_slice(b"\\\\"),
                b'\n' => self.0.extend_from_slice(b"\\n"),
                b'\r' => self.0.extend_from_slice(b"\\r"),
                b'\t' => self.0.extend_from_slice(b"\\t"),
                _ => self.0.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            }
        }
        self.0.extend_from_slice(&text.as_bytes()[start..]);
        self.0.push(b'"');
        self
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    /// An enum value, which the database keeps in lower case.
    pub(crate) fn word(&mut self, word: &str) -> &mut Self {
        self.0.push(b'"');
        self.0.extend(word.bytes().map(|byte| byte.to_ascii_uppercase()));
        self.0.push(b'"');
        self
    }

    pub(crate) fn id(&mut self, prefix: &str, id: Uuid) -> &mut Self {
        self.0.push(b'"');
        scalars::write_id(&mut self.0, prefix, id);
        self.0.push(b'"');
        self
    }

    pub(crate) fn instant(&mut self, at: scalars::Micros) -> &mut Self {
        self.0.push(b'"');
        at.write(&mut self.0);
        self.0.push(b'"');
        self
    }

    pub(crate) fn optional_instant(&mut self, at: Option<scalars::Micros>) -> &mut Self {
        match at {
            Some(at) => self.instant(at),
            None => self.raw("null"),
        }
    }

    pub(crate) fn number(&mut self, number: i32) -> &mut Self {
        // `write!` into a vector does not fail.
        std::io::Write::write_fmt(&mut self.0, format_args!("{number}")).ok();
        self
    }

    pub(crate) fn flag(&mut self, flag: bool) -> &mut Self {
        self.raw(if flag { "true" } else { "false" })
    }

    pub(crate) fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.0.push(b'[');
        for (index, text) in texts.into_iter().enumerate() {
            if index > 0 {
                self.0.push(b',');
            }
            self.text(text);
        }
        self.0.push(b']');
        self
    }

    pub(crate) fn end(mut self, end: &str) -> Vec<u8> {
        self.raw(end);
        self.0
    }
}
