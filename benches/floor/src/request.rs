//! The questions as clients send them. The document itself is not read.

use std::borrow::Cow;

use serde::Deserialize;

/// A GraphQL request over HTTP or in a `subscribe` message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request<'a> {
    #[serde(borrow)]
    pub(crate) operation_name: &'a str,
    #[serde(borrow)]
    pub(crate) variables: Variables<'a>,
}

/// The variables of all questions together.
#[derive(Deserialize)]
pub(crate) struct Variables<'a> {
    /// An object or a workspace.
    #[serde(borrow, default)]
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) range: Option<Range<'a>>,
    #[serde(borrow)]
    pub(crate) input: Option<NewTask<'a>>,
}

/// A time range.
#[derive(Deserialize)]
pub(crate) struct Range<'a> {
    pub(crate) start: &'a str,
    pub(crate) end: &'a str,
}

/// A task to create.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewTask<'a> {
    #[serde(borrow)]
    pub(crate) workspace_id: &'a str,
    #[serde(borrow)]
    pub(crate) title: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) priority: &'a str,
    #[serde(borrow)]
    pub(crate) due_at: &'a str,
    #[serde(borrow)]
    pub(crate) labels: Vec<Cow<'a, str>>,
}
