//! Ways to sign in: OpenID Connect issuers that the operator names, one-time links by e-mail, and where the front end is.

use url::{Host, Url};

use super::secret::Secret;
use super::server::Environment;
use super::setting::{NAME, Reader, Setting};

/// An OpenID Connect issuer whose word is taken for who somebody is.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Name in addresses, for example `google`.
    pub name: String,
    /// Label for a button.
    pub label: String,
    /// The issuer exactly as it names itself, with or without a slash at the end.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// How we prove it; public clients have none.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for; `openid` is always there.
    pub scopes: Vec<String>,
}

/// Who becomes a person of this installation. Whoever is one already always gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Whoever can sign in.
    Open,
    /// Whoever is invited to a workspace under the address that they prove.
    Invited,
    /// Nobody; the operator makes people on the command line.
    Closed,
}

/// How people sign in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The issuers, in the order to show them.
    pub issuers: Vec<Issuer>,
    /// Whether one-time links by e-mail are offered.
    pub email: bool,
    /// Page of the front end, where links lead and sign-ins end.
    pub app_url: Url,
    /// Who may come for the first time.
    pub sign_up: SignUp,
}

impl SignIn {
    /// The issuer with this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.name == name)
    }

    /// A page of the front end that acts on the token of a link.
    pub fn app_link(&self, page: &str, token: &str) -> Url {
        let mut url = self.app_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(page);
        }
        url.query_pairs_mut().append_pair("token", token);
        url
    }
}

/// Name of Google in the list of providers: its issuer and label are known.
pub const GOOGLE: &str = "google";
const GOOGLE_ISSUER: &str = "https://accounts.google.com";
/// Names that are routes already.
const RESERVED: [&str; 3] = ["callback", "email", "logout"];

const PROVIDERS: Setting = Setting::new(
    "MERIDIAN_OIDC_PROVIDERS",
    "",
    "Names of OpenID Connect providers, with commas between them: google,acme. Each is lower-case and has the settings below, \
     with its name in capitals for <NAME>. Register `<MERIDIAN_PUBLIC_URL>/auth/callback` as redirect URI.",
);
const ISSUER: Setting = Setting::derived(
    "MERIDIAN_OIDC_<NAME>_ISSUER",
    "https://accounts.google.com for google, otherwise required",
    "Issuer exactly as its discovery document names it. A private address must also be in MERIDIAN_OUTBOUND_ALLOW.",
);
const CLIENT_ID: Setting = Setting::derived(
    "MERIDIAN_OIDC_<NAME>_CLIENT_ID",
    "none; required",
    "Client id that the provider gave.",
);
const CLIENT_SECRET: Setting = Setting::derived(
    "MERIDIAN_OIDC_<NAME>_CLIENT_SECRET",
    "none: a public client, which only PKCE protects",
    "Client secret that the provider gave.",
)
.secret();
const SCOPES: Setting = Setting::derived(
    "MERIDIAN_OIDC_<NAME>_SCOPES",
    "openid email profile",
    "Scopes to ask for, with spaces between them. Without a verified e-mail address nobody can sign up.",
);
const LABEL: Setting = Setting::derived(
    "MERIDIAN_OIDC_<NAME>_LABEL",
    "the name with a capital letter",
    "Label for the button.",
);
const EMAIL: Setting = Setting::derived(
    "MERIDIAN_EMAIL_SIGN_IN",
    "true when no provider is named and e-mail can be sent",
    "Whether people may sign in with a one-time link by e-mail.",
);
const APP_URL: Setting = Setting::derived(
    "MERIDIAN_APP_URL",
    "MERIDIAN_PUBLIC_URL",
    "Page of the front end: sign-ins end there unless they name another allowed address, and links in e-mails lead below it.",
);

const SIGN_UP: Setting = Setting::new(
    "MERIDIAN_SIGN_UP",
    "open",
    "Who may come for the first time: open, everybody who can sign in; invited, those who are invited to a workspace under the \
     address that they prove; closed, nobody but those whom `meridian person create` makes.",
);

pub(super) const SETTINGS: &[Setting] = &[
    PROVIDERS,
    ISSUER,
    CLIENT_ID,
    CLIENT_SECRET,
    SCOPES,
    LABEL,
    EMAIL,
    APP_URL,
    SIGN_UP,
];

/// The names of providers, as far as they can be used. Reads nothing else, for those who only need to know which settings exist.
pub(super) fn provider_names(reader: &Reader<'_>) -> Vec<String> {
    let names = reader.text(&PROVIDERS).unwrap_or_default().split(',');
    names
        .map(str::trim)
        .filter(|name| is_name(name))
        .map(str::to_owned)
        .collect()
}

fn is_name(name: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=32).contains(&name.len()) && name.chars().all(ok) && !RESERVED.contains(&name)
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    env: Option<Environment>,
    public_url: Option<&Url>,
    can_mail: bool,
) -> Option<SignIn> {
    let names = reader.list(
        &PROVIDERS,
        "names of lower-case letters and digits such as google,acme, but not callback, email or logout",
        |text| is_name(text).then(|| text.to_owned()),
    );
    let mut issuers: Vec<Issuer> = Vec::new();
    for name in names {
        if issuers.iter().any(|known| known.name == name) {
            reader.fail(
                &PROVIDERS,
                format!("`{name}` is there twice. Write each name once."),
            );
            continue;
        }
        issuers.extend(read_issuer(reader, &name, env));
    }
    let email = reader.switch(&EMAIL, issuers.is_empty() && can_mail);
    if email == Some(true) && !can_mail {
        reader.fail(
            &EMAIL,
            "e-mail cannot be sent. Write MERIDIAN_SMTP_URL and MERIDIAN_MAIL_FROM as well.",
        );
    }
    let app_url = match reader.given(&APP_URL) {
        None => public_url.cloned(),
        Some(_) => reader.read(
            &APP_URL,
            "a URL such as https://app.example.org/, without query",
            |text| {
                let url = Url::parse(text).ok()?;
                let plain = matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty();
                plain.then_some(url)
            },
        ),
    };
    let sign_up = reader.read(&SIGN_UP, "open, invited or closed", |text| {
        match text.to_ascii_lowercase().as_str() {
            "open" => Some(SignUp::Open),
            "invited" => Some(SignUp::Invited),
            "closed" => Some(SignUp::Closed),
            _ => None,
        }
    });
    Some(SignIn {
        issuers,
        email: email?,
        app_url: app_url?,
        sign_up: sign_up?,
    })
}

fn read_issuer(reader: &mut Reader<'_>, name: &str, env: Option<Environment>) -> Option<Issuer> {
    let capitals = name.to_ascii_uppercase();
    let mut read =
        |setting: &Setting, fallback: Option<String>, expected: &str, ok: &dyn Fn(&str) -> bool| {
            let full = setting.name.replace(NAME, &capitals);
            let found = reader.named(&full).map(str::to_owned).or(fallback);
            match found {
                Some(text) if ok(&text) => Some(text),
                Some(_) => {
                    reader.fail_named(full, format!("the value cannot be used. Write {expected}."));
                    None
                }
                None => {
                    reader.fail_named(
                        full,
                        format!("it is required for the provider {name}. Write {expected}."),
                    );
                    None
                }
            }
        };
    let visible = |text: &str| text.chars().all(|c| !c.is_control());
    let issuer = read(
        &ISSUER,
        (name == GOOGLE).then(|| GOOGLE_ISSUER.into()),
        "an https address without query, for example https://id.example.org",
        &|text| is_issuer(text, env),
    );
    let client_id = read(&CLIENT_ID, None, "the client id that the provider gave", &visible);
    let secret = read(
        &CLIENT_SECRET,
        Some(String::new()),
        "the client secret that the provider gave",
        &visible,
    );
    let scopes = read(
        &SCOPES,
        Some("openid email profile".into()),
        "scopes such as openid email profile",
        &|text| {
            text.split_whitespace().all(|scope| {
                scope
                    .chars()
                    .all(|c| c.is_ascii_graphic() && c != '"' && c != '\\')
            })
        },
    );
    let label = read(&LABEL, Some(label_of(name)), "at most 60 characters", &|text| {
        text.chars().count() <= 60 && !text.chars().any(char::is_control)
    });
    let mut scopes: Vec<String> = scopes?.split_whitespace().map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".into());
    }
    Some(Issuer {
        name: name.to_owned(),
        label: label?,
        issuer: issuer?,
        client_id: client_id?,
        client_secret: Some(secret?).filter(|secret| !secret.is_empty()).map(Secret::new),
        scopes,
    })
}

/// Plain http could be read and changed on the way, so it is only for a provider on the developer's own machine.
fn is_issuer(text: &str, env: Option<Environment>) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let safe = match url.scheme() {
            "https" => true,
            "http" => is_loopback && env == Some(Environment::Development),
            _ => false,
        };
        safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    })
}

fn label_of(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
