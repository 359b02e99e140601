//! The optional language model.

use url::Url;

use super::secret::Secret;
use super::setting::{Reader, Setting};

/// A language model behind an interface like that of OpenAI.
#[derive(Clone, Debug)]
pub struct Llm {
    /// Base of its interface, for example `https://api.openai.com/v1`.
    pub url: Url,
    /// Sent as a bearer token; many local servers want none.
    pub key: Option<Secret<String>>,
    /// Name of the model.
    pub model: String,
}

const URL: Setting = Setting::derived(
    "MERIDIAN_LLM_URL",
    "none: everything works without a language model",
    "Base of an interface like that of OpenAI, for wishes about schedules and phrases that the rules do not understand: \
     https://api.openai.com/v1, http://127.0.0.1:11434/v1. Exactly this host and port may be private and speak plain http.",
);
const KEY: Setting = Setting::derived(
    "MERIDIAN_LLM_KEY",
    "none, as local servers have it",
    "Key of that interface, sent as a bearer token to MERIDIAN_LLM_URL only.",
)
.secret();
const MODEL: Setting = Setting::derived(
    "MERIDIAN_LLM_MODEL",
    "required with MERIDIAN_LLM_URL",
    "Name of the model to ask, for example gpt-5-mini or llama3.2",
);

pub(super) const SETTINGS: &[Setting] = &[URL, KEY, MODEL];
/// The model, when one is configured. What is wrong is collected by the reader.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Llm> {
    let expected = "a URL such as https://api.openai.com/v1, without user, query and fragment";
    let url = reader.read(&URL, expected, |text| {
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then_some(url)
    });
    let key = reader.read(&KEY, "a key of printable ASCII characters", |text| {
        let clean = text.chars().all(|c| c.is_ascii_graphic());
        clean.then(|| Secret::new(text.to_owned()))
    });
    let model = reader.given(&MODEL).map(str::to_owned);
    match (reader.given(&URL).is_some(), &model) {
        (true, None) => reader.fail(
            &MODEL,
            "it is required with MERIDIAN_LLM_URL. Write the name of the model",
        ),
        (false, Some(_)) => reader.fail(&URL, "it is required with MERIDIAN_LLM_MODEL"),
        _ => {}
    }
    Some(Llm {
        url: url?,
        key,
        model: model?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn parsed(values: &[(&str, &str)]) -> (Option<Llm>, Vec<String>) {
        let values: BTreeMap<String, String> = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut reader = Reader::new(&values);
        let llm = read(&mut reader);
        let problems = reader.finish();
        (llm, problems.into_iter().map(|problem| problem.setting).collect())
    }

    #[test]
    fn a_model_is_optional_and_needs_its_name() {
        let (none, problems) = parsed(&[]);
        assert!(none.is_none() && problems.is_empty());
        let (llm, problems) = parsed(&[
            ("MERIDIAN_LLM_URL", "http://127.0.0.1:11434/v1"),
            ("MERIDIAN_LLM_MODEL", "llama3.2"),
            ("MERIDIAN_LLM_KEY", "sk-hidden"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let llm = llm.unwrap();
        assert_eq!(llm.model, "llama3.2");
        assert!(!format!("{llm:?}").contains("hidden"));
        let (none, problems) = parsed(&[("MERIDIAN_LLM_URL", "http://127.0.0.1:11434/v1")]);
        assert!(none.is_none());
        assert_eq!(problems, ["MERIDIAN_LLM_MODEL"]);
        let (_, problems) = parsed(&[("MERIDIAN_LLM_MODEL", "x")]);
        assert_eq!(problems, ["MERIDIAN_LLM_URL"]);
    }

    #[test]
    fn addresses_with_secrets_or_other_schemes_are_refused() {
        for url in [
            "ftp://x/v1",
            "https://me:secret@x/v1",
            "https://x/v1?key=secret",
            "x",
        ] {
            let (_, problems) = parsed(&[("MERIDIAN_LLM_URL", url), ("MERIDIAN_LLM_MODEL", "m")]);
            assert_eq!(problems, ["MERIDIAN_LLM_URL"], "{url}");
        }
    }
}
