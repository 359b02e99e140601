//! What graphql documents does with good and bad input.

use super::*;

fn documents(pairs: &[(&str, &str)]) -> Documents {
    let values = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Documents::load(&Config::parse(&values.collect()).unwrap()).unwrap()
}

fn wanted(text: Option<&str>, name: Option<&str>) -> Wanted {
    Wanted {
        text: text.map(Into::into),
        name: name.map(Into::into),
    }
}

fn code(result: Result<Arc<str>>) -> ErrorCode {
    result.unwrap_err().code()
}

#[test]
fn a_document_is_remembered_under_its_hash_only() {
    let documents = documents(&[]);
    let (text, hash) = ("{ a }", hash("{ a }"));
    let by_hash = wanted(None, Some(&hash));
    assert_eq!(code(documents.find(&by_hash)), ErrorCode::PersistedQueryNotFound);
    let both = wanted(Some(text), Some(&hash));
    let found = documents.find(&both).unwrap();
    documents.remember(&both, &found);
    assert_eq!(&*documents.find(&by_hash).unwrap(), text);
    let wrong = wanted(Some("{ b }"), Some(&hash));
    assert_eq!(code(documents.find(&wrong)), ErrorCode::BadUserInput);
    assert_eq!(&*documents.find(&wanted(Some("{ b }"), None)).unwrap(), "{ b }");
}

#[test]
fn only_registered_documents_run_when_the_settings_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("persisted-documents.json");
    std::fs::write(&file, r#"{"abc": "{ a }"}"#).unwrap();
    let file = file.to_str().unwrap();
    let strict = documents(&[
        ("MERIDIAN_PERSISTED_DOCUMENTS", file),
        ("MERIDIAN_PERSISTED_ONLY", "true"),
    ]);
    assert_eq!(&*strict.find(&wanted(None, Some("abc"))).unwrap(), "{ a }");
    assert_eq!(&*strict.find(&wanted(Some("{ a }"), None)).unwrap(), "{ a }");
    let other = wanted(Some("{ b }"), Some(&hash("{ b }")));
    assert_eq!(code(strict.find(&other)), ErrorCode::PersistedQueryRequired);
    let unknown = wanted(None, Some("xyz"));
    assert_eq!(code(strict.find(&unknown)), ErrorCode::PersistedQueryNotFound);
    std::fs::write(file, "[]").unwrap();
    let values = [("MERIDIAN_PERSISTED_DOCUMENTS".to_owned(), file.to_owned())];
    let error = Documents::load(&Config::parse(&values.into()).unwrap()).unwrap_err();
    assert!(error.contains("expected a JSON object"), "{error}");
}
