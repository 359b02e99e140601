//! Bytes to text, before anything is known about lines.
//!
//! Old programs fold lines in the middle of a character and write UTF-16; both are mended here, because once the bytes
//! are replaced by U+FFFD nothing can be. Must not know: calendars.

use std::borrow::Cow;

/// A text made from bytes.
#[derive(Debug)]
pub struct Decoded<'b> {
    /// The text.
    pub text: Cow<'b, str>,
    /// Some bytes were no text and became U+FFFD.
    pub is_damaged: bool,
}

/// Decodes UTF-8 (with characters split by folds mended) and UTF-16 with a byte order mark.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..]
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]))
            .collect();
        let text = String::from_utf16_lossy(&units);
        Decoded {
            is_damaged: text.contains('\u{fffd}'),
            text: Cow::Owned(text),
        }
    };
    match bytes {
        [0xff, 0xfe, ..] => return wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return wide(u16::from_be_bytes),
        _ => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded {
            text: Cow::Borrowed(text),
            is_damaged: false,
        };
    }
    match String::from_utf8(without_split_characters(bytes)) {
        Ok(text) => Decoded {
            text: Cow::Owned(text),
            is_damaged: false,
        },
        Err(damaged) => {
            let text = String::from_utf8_lossy(damaged.as_bytes()).into_owned();
            Decoded {
                text: Cow::Owned(text),
                is_damaged: true,
            }
        }
    }
}

/// Removes those folds (line break and one blank) that are followed by the middle of a character.
fn without_split_characters(bytes: &[u8]) -> Vec<u8> {
    let is_middle = |at: usize| {
        bytes
            .get(at)
            .is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000)
    };
    let mut joined = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let fold = match &bytes[at..] {
            [b'\r', b'\n', b' ' | b'\t', ..] => 3,
            [b'\n', b' ' | b'\t', ..] => 2,
            _ => 0,
        };
        if fold > 0 && is_middle(at + fold) {
            at += fold;
        } else {
            joined.push(bytes[at]);
            at += 1;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_split_by_a_fold_are_mended() {
        let text = "SUMMARY:é€\r\n x";
        let mut bytes = text.as_bytes().to_vec();
        bytes.splice(9..9, *b"\r\n ");
        bytes.splice(14..14, *b"\n\t");
        let decoded = decode(&bytes);
        assert_eq!((decoded.text.as_ref(), decoded.is_damaged), (text, false));
    }

    #[test]
    fn wide_texts_and_damaged_texts_are_read() {
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("BEGIN:é".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(decode(&wide).text, "BEGIN:é");
        let damaged = decode(b"SUMMARY:caf\xe9");
        assert_eq!(
            (damaged.text.as_ref(), damaged.is_damaged),
            ("SUMMARY:caf\u{fffd}", true)
        );
        assert!(!decode(b"plain").is_damaged);
    }
}
