//! Free text, addresses and colours as people wrote them, made fit to store.
//!
//! Promises: no control characters, no text beyond its limit, cuts only between characters, colours only as
//! `#rrggbb`, links only http and https. Must not know: which property a text came from.

use std::borrow::Cow;

/// Longest title, place or name, in characters.
pub(super) const SHORT_LIMIT: usize = 1_000;
/// Longest description, in bytes.
pub(super) const LONG_LIMIT: usize = 64 * 1024;
/// Longest link, in bytes.
const LINK_LIMIT: usize = 2_000;

/// A text made fit to store, and whether it had to be cut.
pub(super) struct Clean {
    /// Missing when nothing is left.
    pub(super) text: Option<String>,
    pub(super) is_cut: bool,
}

/// Makes a one-line text: line breaks become blanks.
pub(super) fn short(text: &str) -> Clean {
    let visible = text.chars().filter(|letter| !is_void(*letter));
    let clean: String = visible
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let clean = clean.trim();
    let cut = clean
        .char_indices()
        .nth(SHORT_LIMIT)
        .map_or(clean.len(), |(at, _)| at);
    done(&clean[..cut], cut < clean.len())
}

/// Makes a text of several lines with LF between them.
pub(super) fn long(text: &str) -> Clean {
    let unified = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text.into()
    };
    let clean = if unified.contains(is_void) {
        Cow::Owned(unified.replace(is_void, ""))
    } else {
        unified
    };
    let clean = clean.trim();
    let cut = clean.floor_char_boundary(LONG_LIMIT);
    done(&clean[..cut], cut < clean.len())
}

fn done(text: &str, is_cut: bool) -> Clean {
    let text = text.trim_end();
    Clean {
        text: (!text.is_empty()).then(|| text.to_owned()),
        is_cut,
    }
}

fn is_void(letter: char) -> bool {
    letter == '\u{feff}' || (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
}

/// A web link; `None` for other schemes and for rubbish.
pub(super) fn web_link(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"']);
    let scheme = text.get(..8)?.to_ascii_lowercase();
    let host = if scheme == "https://" {
        &text[8..]
    } else {
        scheme.strip_prefix("http://").map(|_| &text[7..])?
    };
    let is_sound = text.len() <= LINK_LIMIT
        && host.starts_with(|letter: char| letter.is_alphanumeric() || letter == '[')
        && !text.contains(|letter: char| {
            letter.is_whitespace() || letter.is_control() || matches!(letter, '<' | '>' | '"')
        });
    is_sound.then(|| text.to_owned())
}

/// A mail address in lower case, without `mailto:`; `None` when it is none.
pub(super) fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &text[7..],
        _ => text,
    };
    let text = text
        .split('?')
        .next()
        .unwrap_or(text)
        .trim()
        .trim_matches(['<', '>']);
    let (name, host) = text.rsplit_once('@')?;
    let is_sound = !name.is_empty()
        && !host.is_empty()
        && text.len() <= 320
        && !text.contains(|letter: char| {
            letter.is_whitespace() || letter.is_control() || matches!(letter, ',' | ';' | '<' | '>' | '/')
        });
    is_sound.then(|| text.to_lowercase())
}

/// A colour as `#rrggbb`, from hexadecimal notation or a CSS name.
pub(super) fn color(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(hex) = text.strip_prefix('#') {
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        return match hex.len() {
            // Apple adds two digits of opacity.
            6 | 8 => Some(format!("#{}", &hex[..6])),
            3 => Some(hex.chars().fold("#".to_owned(), |color, digit| {
                color + &digit.to_string().repeat(2)
            })),
            _ => None,
        };
    }
    let at = NAMED_COLORS
        .binary_search_by_key(&text.as_str(), |(name, _)| name)
        .ok()?;
    Some(format!("#{:06x}", NAMED_COLORS[at].1))
}

/// CSS colour names (RFC 7986 allows no others), sorted.
#[rustfmt::skip]
const NAMED_COLORS: [(&str, u32); 147] = [
    ("aliceblue", 0xf0f8ff), ("antiquewhite", 0xfaebd7), ("aqua", 0x00ffff), ("aquamarine", 0x7fffd4), ("azure", 0xf0ffff),
    ("beige", 0xf5f5dc), ("bisque", 0xffe4c4), ("black", 0x000000), ("blanchedalmond", 0xffebcd), ("blue", 0x0000ff),
    ("blueviolet", 0x8a2be2), ("brown", 0xa52a2a), ("burlywood", 0xdeb887), ("cadetblue", 0x5f9ea0), ("chartreuse", 0x7fff00),
    ("chocolate", 0xd2691e), ("coral", 0xff7f50), ("cornflowerblue", 0x6495ed), ("cornsilk", 0xfff8dc), ("crimson", 0xdc143c),
    ("cyan", 0x00ffff), ("darkblue", 0x00008b), ("darkcyan", 0x008b8b), ("darkgoldenrod", 0xb8860b), ("darkgray", 0xa9a9a9),
    ("darkgreen", 0x006400), ("darkgrey", 0xa9a9a9), ("darkkhaki", 0xbdb76b), ("darkmagenta", 0x8b008b), ("darkolivegreen", 0x556b2f),
    ("darkorange", 0xff8c00), ("darkorchid", 0x9932cc), ("darkred", 0x8b0000), ("darksalmon", 0xe9967a), ("darkseagreen", 0x8fbc8f),
    ("darkslateblue", 0x483d8b), ("darkslategray", 0x2f4f4f), ("darkslategrey", 0x2f4f4f), ("darkturquoise", 0x00ced1), ("darkviolet", 0x9400d3),
    ("deeppink", 0xff1493), ("deepskyblue", 0x00bfff), ("dimgray", 0x696969), ("dimgrey", 0x696969), ("dodgerblue", 0x1e90ff),
    ("firebrick", 0xb22222), ("floralwhite", 0xfffaf0), ("forestgreen", 0x228b22), ("fuchsia", 0xff00ff), ("gainsboro", 0xdcdcdc),
    ("ghostwhite", 0xf8f8ff), ("gold", 0xffd700), ("goldenrod", 0xdaa520), ("gray", 0x808080), ("green", 0x008000),
    ("greenyellow", 0xadff2f), ("grey", 0x808080), ("honeydew", 0xf0fff0), ("hotpink", 0xff69b4), ("indianred", 0xcd5c5c),
    ("indigo", 0x4b0082), ("ivory", 0xfffff0), ("khaki", 0xf0e68c), ("lavender", 0xe6e6fa), ("lavenderblush", 0xfff0f5),
    ("lawngreen", 0x7cfc00), ("lemonchiffon", 0xfffacd), ("lightblue", 0xadd8e6), ("lightcoral", 0xf08080), ("lightcyan", 0xe0ffff),
    ("lightgoldenrodyellow", 0xfafad2), ("lightgray", 0xd3d3d3), ("lightgreen", 0x90ee90), ("lightgrey", 0xd3d3d3), ("lightpink", 0xffb6c1),
    ("lightsalmon", 0xffa07a), ("lightseagreen", 0x20b2aa), ("lightskyblue", 0x87cefa), ("lightslategray", 0x778899), ("lightslategrey", 0x778899),
    ("lightsteelblue", 0xb0c4de), ("lightyellow", 0xffffe0), ("lime", 0x00ff00), ("limegreen", 0x32cd32), ("linen", 0xfaf0e6),
    ("magenta", 0xff00ff), ("maroon", 0x800000), ("mediumaquamarine", 0x66cdaa), ("mediumblue", 0x0000cd), ("mediumorchid", 0xba55d3),
    ("mediumpurple", 0x9370db), ("mediumseagreen", 0x3cb371), ("mediumslateblue", 0x7b68ee), ("mediumspringgreen", 0x00fa9a), ("mediumturquoise", 0x48d1cc),
    ("mediumvioletred", 0xc71585), ("midnightblue", 0x191970), ("mintcream", 0xf5fffa), ("mistyrose", 0xffe4e1), ("moccasin", 0xffe4b5),
    ("navajowhite", 0xffdead), ("navy", 0x000080), ("oldlace", 0xfdf5e6), ("olive", 0x808000), ("olivedrab", 0x6b8e23),
    ("orange", 0xffa500), ("orangered", 0xff4500), ("orchid", 0xda70d6), ("palegoldenrod", 0xeee8aa), ("palegreen", 0x98fb98),
    ("paleturquoise", 0xafeeee), ("palevioletred", 0xdb7093), ("papayawhip", 0xffefd5), ("peachpuff", 0xffdab9), ("peru", 0xcd853f),
    ("pink", 0xffc0cb), ("plum", 0xdda0dd), ("powderblue", 0xb0e0e6), ("purple", 0x800080), ("red", 0xff0000),
    ("rosybrown", 0xbc8f8f), ("royalblue", 0x4169e1), ("saddlebrown", 0x8b4513), ("salmon", 0xfa8072), ("sandybrown", 0xf4a460),
    ("seagreen", 0x2e8b57), ("seashell", 0xfff5ee), ("sienna", 0xa0522d), ("silver", 0xc0c0c0), ("skyblue", 0x87ceeb),
    ("slateblue", 0x6a5acd), ("slategray", 0x708090), ("slategrey", 0x708090), ("snow", 0xfffafa), ("springgreen", 0x00ff7f),
    ("steelblue", 0x4682b4), ("tan", 0xd2b48c), ("teal", 0x008080), ("thistle", 0xd8bfd8), ("tomato", 0xff6347),
    ("turquoise", 0x40e0d0), ("violet", 0xee82ee), ("wheat", 0xf5deb3), ("white", 0xffffff), ("whitesmoke", 0xf5f5f5),
    ("yellow", 0xffff00), ("yellowgreen", 0x9acd32),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_control_characters_and_keep_whole_characters() {
        assert_eq!(short(" a\u{0}b\nc\u{feff} ").text.as_deref(), Some("ab c"));
        assert_eq!(long("a\r\nb\rc\u{7}").text.as_deref(), Some("a\nb\nc"));
        assert!(short("\u{0}\t").text.is_none());
        let title = short(&"é".repeat(SHORT_LIMIT + 1));
        assert_eq!(
            (title.text.map(|text| text.chars().count()), title.is_cut),
            (Some(SHORT_LIMIT), true)
        );
        let words = long(&"€".repeat(LONG_LIMIT));
        assert!(words.is_cut && words.text.is_some_and(|text| text.len() <= LONG_LIMIT));
        assert!(!short("fits").is_cut);
    }

    #[test]
    fn only_web_links_are_links() {
        assert_eq!(
            web_link(" <HTTPS://zoom.us/j/1?pwd=a> ").as_deref(),
            Some("HTTPS://zoom.us/j/1?pwd=a")
        );
        assert!(web_link("http://[::1]/").is_some());
        for wrong in [
            "javascript:alert(1)",
            "https://",
            "http:///x",
            "https://a b",
            "tel:1",
            "",
            "https://a\u{0}b",
            "é",
        ] {
            assert_eq!(web_link(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_lose_their_scheme() {
        assert_eq!(
            email("MAILTO:Ann@Example.COM").as_deref(),
            Some("ann@example.com")
        );
        assert_eq!(email("mailto:<a@b.c>?subject=x").as_deref(), Some("a@b.c"));
        for wrong in [
            "invalid:nomail",
            "mailto:",
            "@",
            "a@",
            "/principals/users/a@b/",
            "a b@c",
        ] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn colours_become_hexadecimal() {
        assert!(NAMED_COLORS.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(color("#FF2968FF").as_deref(), Some("#ff2968"));
        assert_eq!(color("#1bC").as_deref(), Some("#11bbcc"));
        assert_eq!(color(" Tomato ").as_deref(), Some("#ff6347"));
        for wrong in ["#12", "#gggggg", "reddish", "", "#ééé"] {
            assert_eq!(color(wrong), None, "{wrong}");
        }
    }
}
