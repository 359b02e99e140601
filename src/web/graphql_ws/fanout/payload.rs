//! One answer for many subscribers: written as JSON once, with each subscriber's id put in front. Errors name the request that they belong
//! to, so an answer with errors is written for each subscriber.

use std::sync::OnceLock;

use async_graphql::{Response, ServerError};
use axum::extract::ws::Utf8Bytes;

use crate::web::graphql_answer::Answer;
use crate::web::graphql_ws::protocol::next_message;

/// What a change answers.
pub(in crate::web::graphql_ws) struct Payload {
    /// Position of the change in the log.
    pub(super) seq: i64,
    body: Body,
    /// The message for the id that asked first. Clients count their operations, so most ids are the same.
    message: OnceLock<(Box<str>, Utf8Bytes)>,
}

enum Body {
    Same(String),
    Addressed(Box<Answer>),
}

/// What came of executing a change.
pub(super) enum Outcome {
    /// Something to send.
    Payload(Payload),
    /// The end for everybody.
    Failed(Vec<ServerError>),
}

impl Payload {
    /// Reads what was executed for a change.
    pub(super) fn of(seq: i64, response: Response) -> Outcome {
        // The id of a request is only in errors, and those get that of each subscriber.
        let answer = Answer::new(response, "");
        if answer.is_request_error() || answer.is_only_errors() {
            return Outcome::Failed(answer.errors);
        }
        let body = if answer.errors.is_empty() {
            match answer.json() {
                Ok(text) => Body::Same(text),
                Err(error) => return Outcome::Failed(vec![error]),
            }
        } else {
            Body::Addressed(Box::new(answer))
        };
        Outcome::Payload(Self::new(seq, body))
    }

    fn new(seq: i64, body: Body) -> Self {
        Self {
            seq,
            body,
            message: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn plain(seq: i64, text: &str) -> Self {
        Self::new(seq, Body::Same(text.to_owned()))
    }

    /// Bytes that it holds, about.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Same(text) => text.len(),
            Body::Addressed(_) => 4096,
        }
    }

    /// The message for a subscriber.
    pub(in crate::web::graphql_ws) fn message(
        &self,
        id: &str,
        request_id: impl FnOnce() -> String,
    ) -> Result<Utf8Bytes, Vec<ServerError>> {
        let text = match &self.body {
            Body::Same(text) => text,
            Body::Addressed(answer) => {
                let text = answer.addressed(&request_id()).json();
                let text = text.map_err(|error| vec![error])?;
                return Ok(next_message(id, &text).into());
            }
        };
        match self.message.get() {
            Some((known, message)) if **known == *id => Ok(message.clone()),
            Some(_) => Ok(next_message(id, text).into()),
            None => {
                let message = Utf8Bytes::from(next_message(id, text));
                self.message.set((id.into(), message.clone())).ok();
                Ok(message)
            }
        }
    }
}
