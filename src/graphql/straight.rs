//! Whole operations that are answered without the executor. The executor pays for every level of a document: futures inside futures,
//! contexts, maps. Most queries of front ends ask for one object, or for one page or list of a workspace, most mutations are one command,
//! and all are known from their second time on, so what the first time compiled is kept with the document and answers from then on.
//!
//! Promises: the answer is the executor's, to the byte. Whatever is not plainly the common case (errors, directives, other fields beside
//! the one) is left to the executor, which then answers from the beginning; a command that was carried out by then is not run again.

mod arguments;
mod command;
mod list;
mod object;
mod page;
mod payload;
mod place;
mod sole;

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Variables};

use super::documents::Prepared;
use super::loaders::Loaders;
use super::shape::{Scene, raw};
use super::{ApiSchema, batching};
use crate::access::Access;
use command::Done;
use sole::sole;

pub use arguments::Given;
pub(crate) use command::{Command, argument, command, commands};
pub use list::{Whole, list};
pub use object::object;
pub use page::{Listed, remember};
pub(crate) use payload::{Payload, payload_field, shaped_payload};

/// Runs an operation: straight where that is known to be possible, else by the executor.
pub async fn execute(schema: &ApiSchema, mut request: Request) -> Response {
    let mut done = None;
    if let Some(response) = straight(&request, &mut done).await {
        return response;
    }
    if let Some(document) = unread(&request) {
        request.set_parsed_query(document);
    }
    if data::<DataLoader<Loaders>>(&request).is_none()
        && let Some(access) = data::<Arc<Access>>(&request)
    {
        let loader = batching(access.clone());
        request.data.insert(loader);
    }
    if let Some(done) = done {
        request.data.insert(done);
    }
    // Boxed, so that the others do not carry it about.
    Box::pin(schema.execute(request)).await
}

/// The document of a request that came without one because it should not have needed it.
fn unread(request: &Request) -> Option<ExecutableDocument> {
    let prepared = data::<Arc<Prepared>>(request)?;
    prepared.route().map(|_| prepared.document.clone())
}

/// Whether the document of a request has a way around the executor, so that what only the executor needs can wait.
pub fn is_routed(request: &Request) -> bool {
    data::<Arc<Prepared>>(request).is_some_and(|prepared| prepared.route().is_some())
}

async fn straight(request: &Request, done: &mut Option<Done>) -> Option<Response> {
    let prepared = data::<Arc<Prepared>>(request)?;
    let route = prepared.route()?;
    if request.operation_name.is_some() && request.operation_name != sole(&prepared.document)?.name {
        return None;
    }
    let access = data::<Arc<Access>>(request)?;
    let loaders = Loaders::new(access.clone());
    let scene = Scene::of_request(access, &loaders);
    let text = route.answer(&scene, &request.variables, done).await?;
    Some(Response::new(raw(text)?))
}

fn data<T: Send + Sync + 'static>(request: &Request) -> Option<&T> {
    request.data.get(&std::any::TypeId::of::<T>())?.downcast_ref()
}

/// How the one operation of a document is answered.
#[async_trait::async_trait]
pub trait Route: Send + Sync {
    /// The JSON of `data`; `None` leaves the answer to the executor, which gets what is `done` already.
    async fn answer(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        done: &mut Option<Done>,
    ) -> Option<Vec<u8>>;
}
