//! GraphQL over WebSocket, protocol `graphql-transport-ws`. Promises: one task and no timer for each quiet socket, bounded memory however
//! slow the reader, the protocol's close codes, and no more events a second after the credentials were taken away.

mod bell;
mod connection;
mod fanout;
mod operations;
mod protocol;
mod talk;
mod wheel;
mod wire;

use axum::extract::{FromRequestParts as _, WebSocketUpgrade};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::{StatusCode, request};

use super::client::Client;
use super::failure::Failure;
use super::{Web, auth, reports};
use crate::kernel::ErrorCode;
use connection::Connection;
use fanout::Fanout;
use protocol::SUBPROTOCOL;
use wheel::Wheel;

/// Sockets are many and mostly silent: the usual 128 KiB for reading would be most of their memory.
const READ_BUFFER: usize = 512;
const WRITE_BUFFER: usize = 4 * 1024;

/// What all sockets of the process share.
#[derive(Default)]
pub(super) struct Sockets {
    wheel: Wheel,
    fanout: Fanout,
}

/// `GET /graphql` with `Upgrade`.
pub(super) async fn upgrade(web: Web, client: Client, mut parts: request::Parts) -> Response {
    // Browsers send cookies along with the upgrade, whichever page asks for it.
    if !web.origins().allows_request(&parts.headers) {
        let message = "This page may not connect.";
        return Failure::new(StatusCode::FORBIDDEN, ErrorCode::CsrfFailed, message).answer(&client);
    }
    if web.platform.shutdown.is_cancelled() {
        let message = "The server is shutting down.";
        return Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServiceUnavailable,
            message,
        )
        .answer(&client);
    }
    let credentials = match auth::credentials(&parts.headers, &web.platform.config) {
        Ok(credentials) => credentials,
        Err(failure) => return failure.answer(&client),
    };
    let socket = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(socket) => socket.protocols([SUBPROTOCOL]),
        Err(refused) => {
            let message = refused.body_text();
            return Failure::new(refused.status(), ErrorCode::BadUserInput, message).answer(&client);
        }
    };
    if socket.selected_protocol().is_none() {
        let message = format!("Connect with the subprotocol `{SUBPROTOCOL}`.");
        return Failure::bad_request(message).answer(&client);
    }
    let largest = web.platform.config.limits.socket_message_bytes;
    socket
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(largest)
        .max_frame_size(largest)
        .on_upgrade(async move |socket| {
            // A task of its own, because this one keeps what the handshake needed. The shutdown waits for it as it does for requests.
            let platform = web.platform.clone();
            let request_id = client.request_id.clone();
            let connection = Connection::new(socket, web, client, credentials);
            if platform.config.reports.is_some() {
                let machines = platform.clone();
                platform.spawn(async move {
                    reports::apart(&machines, &request_id, || connection.run().boxed()).await
                });
            } else {
                platform.spawn(connection.run());
            }
        })
}
