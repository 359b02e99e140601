//! Half a browser: it keeps cookies, does not follow redirects by itself, and asks GraphQL as whoever it is signed in as.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use url::Url;

use super::server::{Reply, Server};

/// A browser without pages.
pub struct Browser<'a> {
    server: &'a Server,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Self {
        Self {
            server,
            cookies: Mutex::default(),
        }
    }

    /// Sends a request with the cookies that are kept.
    pub async fn send(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Reply {
        let pairs: Vec<String> = {
            let cookies = self.cookies.lock().unwrap();
            cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect()
        };
        let cookie = format!("Cookie: {}", pairs.join("; "));
        let mut headers = headers.to_vec();
        if !pairs.is_empty() {
            headers.push(&cookie);
        }
        let reply = self.server.send(method, target, &headers, body).await;
        for (_, value) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = value.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    pub async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], "").await
    }

    /// Whether it has a session's cookie.
    pub fn is_signed_in(&self) -> bool {
        self.cookies.lock().unwrap().contains_key("meridian")
    }

    /// The value of a cookie that it has.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Gives it a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    /// Runs an operation; the answer is all of the body.
    pub async fn gql(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let headers = ["Content-Type: application/json", "X-Meridian-Csrf: 1"];
        self.send("POST", "/graphql", &headers, &body).await.json()
    }
}

/// Where a redirect leads; fails the test when it is none.
#[track_caller]
pub fn location(reply: &Reply) -> Url {
    assert_eq!(reply.status, 303, "{reply:?}");
    Url::parse(reply.header("location")).unwrap()
}

/// A part of an address' query.
pub fn part(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
