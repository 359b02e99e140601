//! JSON that is already written, on its way through the executor. Knows no types.

use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

/// The only key of an object that stands for written JSON. Nobody outside can guess it, so no value of a client is ever taken for one.
static TOKEN: LazyLock<Name> = LazyLock::new(|| {
    let mut noise = [0; 16];
    // Without randomness nothing can be trusted: better no server than a guessable one.
    #[expect(
        clippy::expect_used,
        reason = "a machine without randomness cannot run a server"
    )]
    getrandom::fill(&mut noise).expect("the operating system gives random bytes");
    Name::new(format!("raw:{:032x}", u128::from_le_bytes(noise)))
});

/// Wraps written JSON.
pub fn raw(text: Vec<u8>) -> Option<Value> {
    let text = String::from_utf8(text).ok()?;
    let mut object = IndexMap::with_capacity(1);
    object.insert(TOKEN.clone(), Value::String(text));
    Some(Value::Object(object))
}

/// Whether the value is written JSON.
pub fn is_raw(value: &Value) -> bool {
    written(value).is_some()
}

fn written(value: &Value) -> Option<&str> {
    match value {
        Value::Object(object) if object.len() == 1 => match object.get_index(0) {
            Some((name, Value::String(text))) if *name == *TOKEN => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Takes the text out of a value that is written JSON; an empty one stays in its place.
pub fn take_raw(value: &mut Value) -> Option<String> {
    if !is_raw(value) {
        return None;
    }
    match value {
        Value::Object(object) => match object.get_index_mut(0) {
            Some((_, Value::String(text))) => Some(std::mem::take(text)),
            _ => None,
        },
        _ => None,
    }
}

/// Appends a value as JSON; what is written already is copied as it is.
pub fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            if let Some(text) = written(value) {
                // With room for what closes it: otherwise the next byte would move it all.
                out.reserve(text.len() + 16);
                out.extend_from_slice(text.as_bytes());
                return;
            }
            out.push(b'{');
            for (index, (name, value)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                super::json::text(name, out);
                out.push(b':');
                write_value(value, out);
            }
            out.push(b'}');
        }
        Value::String(text) => super::json::text(text, out),
        other => super::json::any(other, out),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn written_json_is_copied_and_everything_else_is_written() {
        let plain = value!({ "a": [1, 2.5, null, true, "x\"\u{1}é"], "b": {}, "c": { "d": "e" } });
        let mut out = Vec::new();
        write_value(&plain, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            serde_json::to_string(&plain).unwrap()
        );
        let mut object = IndexMap::new();
        object.insert(Name::new("k"), raw(b"{\"z\":1}".to_vec()).unwrap());
        let mut out = Vec::new();
        write_value(&Value::Object(object), &mut out);
        assert_eq!(out, b"{\"k\":{\"z\":1}}");
    }

    #[test]
    fn a_client_cannot_pass_text_off_as_written_json() {
        let mut object = IndexMap::new();
        object.insert(Name::new("raw:0"), Value::String("}".into()));
        assert!(!is_raw(&Value::Object(object.clone())));
        let mut out = Vec::new();
        write_value(&Value::Object(object), &mut out);
        assert_eq!(out, b"{\"raw:0\":\"}\"}");
    }
}
