//! A subscription taken apart: what it is about, from where, and what makes two subscriptions the same but for that.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection};
use async_graphql::{Name, Request, Value as Constant, Variables};
use entity::ids::WorkspaceId;

use super::about::About;
use super::audience::{self, Audience};
use super::source::Source;
use crate::access::{Access, Caller};
use crate::graphql::{Prepared, prepare, with_document};
use crate::platform::Platform;

/// What subscriptions have in common that get the same messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    workspace_id: Option<WorkspaceId>,
    query: String,
    operation_name: Option<String>,
    /// As JSON, without the position to start from.
    variables: String,
    audience: Audience,
}

impl GroupKey {
    /// Where they have to be members; nothing when it is not a matter of membership.
    pub fn workspace_id(&self) -> Option<WorkspaceId> {
        self.workspace_id
    }

    /// Those who get the same answers.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }
}

/// A subscription that others may share.
#[derive(Clone)]
pub struct Plan {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
    document: ExecutableDocument,
    prepared: Option<Arc<Prepared>>,
    about: About,
    is_personal: bool,
}

impl Plan {
    /// Takes a request apart. `None` when it is something else, or written in a way that is too clever to share.
    pub fn of(request: &mut Request) -> Option<Self> {
        let document = request.parsed_query().ok()?.clone();
        let operation = chosen(&document, request.operation_name.as_deref())?;
        let [item] = operation.selection_set.node.items.as_slice() else {
            return None;
        };
        let Selection::Field(field) = &item.node else {
            return None;
        };
        let field = &field.node;
        if !field.directives.is_empty() || !operation.directives.is_empty() {
            return None;
        }
        let (about, by_variable) = About::of(field, &request.variables)?;
        let mut variables = request.variables.clone();
        if let Some(name) = by_variable {
            // Once where it is declared and once here: then nothing else depends on it.
            if mentions(&request.query, &name) != 2 {
                return None;
            }
            variables.remove(&name);
        }
        let is_personal = about == About::Person
            || audience::is_personal(&document, "Subscription", &operation.selection_set.node);
        Some(Self {
            query: request.query.clone(),
            operation_name: request.operation_name.clone(),
            variables,
            document,
            prepared: found_in(request),
            about,
            is_personal,
        })
    }

    /// What it is about.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The workspace whose log it follows, and the cursor to resume after.
    pub fn log(&self) -> Option<(WorkspaceId, Option<&str>)> {
        match &self.about {
            About::Log { workspace_id, after } => Some((*workspace_id, after.as_deref())),
            _ => None,
        }
    }

    /// Names the group of a subscriber.
    pub fn key(&self, workspace_id: Option<WorkspaceId>, audience: Audience) -> Option<GroupKey> {
        Some(GroupKey {
            workspace_id,
            query: self.query.clone(),
            operation_name: self.operation_name.clone(),
            variables: serde_json::to_string(&self.variables).ok()?,
            audience,
        })
    }

    /// Whether the answer depends on who asks.
    pub fn is_personal(&self) -> bool {
        self.is_personal
    }

    /// A request that can be executed; it costs nobody points.
    pub fn request(&self, platform: &Platform, caller: Caller, source: Source) -> Request {
        let mut request = Request::new(self.query.as_str()).variables(self.variables.clone());
        request.operation_name = self.operation_name.clone();
        request = match &self.prepared {
            Some(prepared) => with_document(request, prepared.clone()),
            None => {
                request.set_parsed_query(self.document.clone());
                request
            }
        };
        prepare(request, platform, caller).data(source)
    }
}

/// The access that a prepared request carries.
pub fn access_of(request: &Request) -> Option<Arc<Access>> {
    found_in(request)
}

fn found_in<T: Clone + Send + Sync + 'static>(request: &Request) -> Option<T> {
    let found = request.data.get(&TypeId::of::<T>())?;
    found.downcast_ref::<T>().cloned()
}

fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(name) => operations.find(|(known, _)| known.is_some_and(|known| known == name)),
        None => operations.next(),
    };
    // A document with one operation runs it whatever name was sent.
    let found = found.or_else(|| {
        let mut all = document.operations.iter();
        all.next().filter(|_| all.next().is_none())
    });
    found.map(|(_, operation)| &operation.node)
}

/// The value of an argument, and the variable that it comes from.
pub(super) fn argument(field: &Field, name: &str, variables: &Variables) -> (Option<Constant>, Option<Name>) {
    let Some(value) = field.get_argument(name) else {
        return (None, None);
    };
    let mut variable = None;
    let constant = value.node.clone().into_const_with(|name| {
        let value = variables.get(&name).cloned();
        variable = Some(name);
        value.ok_or(())
    });
    (constant.ok(), variable)
}

/// How often a text says `$name`.
fn mentions(query: &str, name: &Name) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    query
        .split('$')
        .skip(1)
        .filter(|rest| {
            rest.trim_start()
                .strip_prefix(name.as_str())
                .is_some_and(|rest| !rest.starts_with(is_part))
        })
        .count()
}
