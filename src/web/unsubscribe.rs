//! `/mail/unsubscribe`: the link in letters about notifications. Opening it only asks, because programs open links too; a POST ends the
//! letters, from the page or by one click in a mail program (RFC 8058). The signed token is all the right that it takes.

use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use super::Web;
use super::auth::pay;
use super::client::Client;
use super::failure::Failure;
use super::sign_in::{page, query};
use crate::features::notifications;
use crate::platform::limits::Limit;

/// Asks before anything changes.
pub(super) async fn ask(RawQuery(text): RawQuery) -> Response {
    let Some(token) = query(text.as_deref(), "token") else {
        return unknown();
    };
    let address: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("token", &token)
        .finish();
    let body = format!(
        "<p>You will still see these notifications in the application.</p>\
         <form method=\"post\" action=\"/mail/unsubscribe?{}\"><button>Stop these e-mails</button></form>",
        page::escaped(&address)
    );
    page::page(StatusCode::OK, "Stop e-mails like this?", &body)
}

/// Ends the letters.
pub(super) async fn stop(
    State(web): State<Web>,
    Extension(client): Extension<Client>,
    RawQuery(text): RawQuery,
) -> Response {
    let stopped = async {
        pay(&web, &client, Limit::GuestRequests).await?;
        match query(text.as_deref(), "token") {
            Some(token) => {
                let ours = notifications::unsubscribe(&web.platform, &token, client.origin()).await?;
                Ok::<_, Failure>(ours)
            }
            None => Ok(false),
        }
    };
    match stopped.await {
        Ok(true) => page::message(
            StatusCode::OK,
            "Done",
            "You get no more e-mails like this. Your settings can turn them on again.",
            None,
        ),
        Ok(false) => unknown(),
        Err(failure) => failure.answer(&client),
    }
}

fn unknown() -> Response {
    page::message(
        StatusCode::BAD_REQUEST,
        "This link is not complete",
        "Open the link of the e-mail again, or change what you get in your settings.",
        None,
    )
}
