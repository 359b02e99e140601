//! Whole operations that are answered without the executor. The executor pays for every level of a document: futures inside futures,
//! contexts, maps. Most queries of front ends ask for one object, or for one page or list of a workspace, most mutations are one command,
//! and all are known from their second time on, so what the first time compiled is kept with the document and answers from then on.
//!
//! Promises: the answer is the executor's, to the byte. Whatever is not plainly the common case (errors, directives, other fields beside
//! the one) is left to the executor, which then answers from the beginning; a command that was carried out by then is not run again.

mod command;
mod list;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field as Asked, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Context, ID, InputType, Name, Positioned, Request, Response, Result, Variables};
use async_graphql_value::{ConstValue, Value};
use entity::ids::WorkspaceId;
use futures_util::future::BoxFuture;

pub use list::{Whole, list};

use super::documents::Prepared;
use super::errors::lookup;
use super::ids::parse;
use super::loaders::Loaders;
use super::paging::PageParts;
use super::shape::{PagePlan, Plan, Scene, Shape, columns_asked, key_text, raw};
use super::{ApiSchema, access};
use crate::access::{Access, Ctx};
use crate::kernel;
use command::Done;

pub(crate) use command::{Command, command, commands};

/// Runs an operation: straight where that is known to be possible, else by the executor.
pub async fn execute(schema: &ApiSchema, mut request: Request) -> Response {
    let mut done = None;
    if let Some(response) = straight(&request, &mut done).await {
        return response;
    }
    if let Some(document) = unread(&request) {
        request.set_parsed_query(document);
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

async fn straight(request: &Request, done: &mut Option<Done>) -> Option<Response> {
    let prepared = data::<Arc<Prepared>>(request)?;
    let route = prepared.route()?;
    if request.operation_name.is_some() && request.operation_name != sole(&prepared.document)?.name {
        return None;
    }
    let scene = Scene::of_request(
        data::<Arc<Access>>(request)?,
        data::<DataLoader<Loaders>>(request)?,
    );
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

/// Arguments as the document gives them.
#[derive(Debug)]
struct Arguments {
    given: Vec<(Name, Value)>,
    defaults: HashMap<Name, ConstValue>,
}

impl Arguments {
    fn of(field: &Asked, operation: &OperationDefinition) -> Self {
        let given = field.arguments.iter();
        let defaults = operation.variable_definitions.iter().filter_map(|definition| {
            let default = definition.node.default_value.as_ref()?;
            Some((definition.node.name.node.clone(), default.node.clone()))
        });
        Self {
            given: given
                .map(|(name, value)| (name.node.clone(), value.node.clone()))
                .collect(),
            defaults: defaults.collect(),
        }
    }
}

/// Arguments with the values of one request.
pub struct Given<'a> {
    arguments: &'a Arguments,
    variables: &'a Variables,
}

impl Given<'_> {
    /// The value of an argument; `None` when it cannot be read, about which the executor has the right words.
    pub fn read<T: InputType>(&self, name: &str) -> Option<T> {
        let mut given = self.arguments.given.iter();
        let value = match given.find(|(known, _)| known == name) {
            // A variable that was left out leaves the argument out.
            Some((_, Value::Variable(variable))) => self.variable(variable),
            Some((_, value)) => Some(
                value
                    .clone()
                    .into_const_with(|name| self.variable(&name).ok_or(()))
                    .ok()?,
            ),
            None => None,
        };
        T::parse(value).ok()
    }

    fn variable(&self, name: &Name) -> Option<ConstValue> {
        let default = || self.arguments.defaults.get(name);
        self.variables.get(name).or_else(default).cloned()
    }
}

/// The only operation of a document without directives.
struct Sole<'a> {
    name: Option<String>,
    operation: &'a OperationDefinition,
    field: &'a Asked,
}

/// The operation of a document that asks for one root field, and where no directive decides anything.
fn sole(document: &ExecutableDocument) -> Option<Sole<'_>> {
    let (name, operation) = match &document.operations {
        DocumentOperations::Single(operation) => (None, &operation.node),
        DocumentOperations::Multiple(operations) => {
            let mut operations = operations.iter();
            let (name, operation) = operations.next()?;
            if operations.next().is_some() {
                return None;
            }
            (Some(name.to_string()), &operation.node)
        }
    };
    let is_plain = operation.ty != OperationType::Subscription
        && operation.directives.is_empty()
        && is_undirected(&operation.selection_set.node)
        && document.fragments.values().all(|fragment| {
            fragment.node.directives.is_empty() && is_undirected(&fragment.node.selection_set.node)
        });
    let field = only_field(&operation.selection_set)?;
    is_plain.then_some(Sole {
        name,
        operation,
        field,
    })
}

fn is_undirected(set: &SelectionSet) -> bool {
    set.items.iter().all(|item| match &item.node {
        Selection::Field(field) => {
            field.node.directives.is_empty() && is_undirected(&field.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => spread.node.directives.is_empty(),
        Selection::InlineFragment(fragment) => {
            fragment.node.directives.is_empty() && is_undirected(&fragment.node.selection_set.node)
        }
    })
}

fn only_field(set: &Positioned<SelectionSet>) -> Option<&Asked> {
    match set.node.items.as_slice() {
        [
            Positioned {
                node: Selection::Field(field),
                ..
            },
        ] => Some(&field.node),
        _ => None,
    }
}

fn opening(field: &Asked) -> Vec<u8> {
    let mut text = vec![b'{'];
    text.extend_from_slice(&key_text(&field.response_key().node, true));
    text
}

/// The document of a running operation of this kind, when its answers may be compiled.
fn compilable<'a>(ctx: &Context<'a>, ty: OperationType) -> Option<(&'a Arc<Prepared>, Sole<'a>)> {
    let prepared = ctx.data_opt::<Arc<Prepared>>()?;
    if prepared.is_decided() {
        return None;
    }
    let Some(sole) = sole(&prepared.document).filter(|sole| sole.operation.ty == ty) else {
        prepared.decide(None);
        return None;
    };
    Some((prepared, sole))
}

/// Looks up one object; `columns` are bits of what is needed of its row, `None` for all.
pub type Find<T> =
    for<'a> fn(access: &'a Access, id: &'a ID, columns: Option<u64>) -> BoxFuture<'a, kernel::Result<T>>;

/// Answers a root field that finds an object by the argument `id`: null when it does not exist or may not be seen.
pub async fn object<T: Shape>(ctx: &Context<'_>, id: &ID, find: Find<T>) -> Option<Result<T>> {
    let columns = columns_asked::<T>(ctx);
    if columns.is_some()
        && let Some((prepared, sole)) = compilable(ctx, OperationType::Query)
        && sole.field.name.node == ctx.item.node.name.node
    {
        let route = Plan::<T>::of_field(ctx).map(|plan| -> Arc<dyn Route> {
            Arc::new(OneObject {
                opening: opening(sole.field),
                id: Arguments::of(sole.field, sole.operation),
                plan,
                find,
            })
        });
        prepared.decide(route);
    }
    lookup(find(access(ctx), id, columns).await)
}

struct OneObject<T> {
    opening: Vec<u8>,
    id: Arguments,
    plan: Plan<T>,
    find: Find<T>,
}

#[async_trait::async_trait]
impl<T: Shape> Route for OneObject<T> {
    async fn answer(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        _: &mut Option<Done>,
    ) -> Option<Vec<u8>> {
        let given = Given {
            arguments: &self.id,
            variables,
        };
        let id: ID = given.read("id")?;
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(&self.opening);
        match (self.find)(scene.access, &id, Some(self.plan.columns())).await {
            Ok(row) => {
                let state = self.plan.load(&[&row], scene).await.ok()?;
                self.plan.write(&row, &state, scene, &mut out);
            }
            Err(error) if error.is_not_found() => out.extend_from_slice(b"null"),
            Err(_) => return None,
        }
        out.push(b'}');
        Some(out)
    }
}

/// The arguments of a field of `Workspace` that answers pages.
pub trait Listed: Sized + Send + 'static {
    /// What the pages are made of.
    type Node: Shape;

    /// Reads them.
    fn given(given: &Given<'_>) -> Option<Self>;

    /// Reads the page; no more of each row than the plan needs. `counts` says whether all matching objects are counted.
    fn page(
        self,
        ctx: &Ctx,
        plan: Option<&PagePlan<Self::Node>>,
        counts: bool,
    ) -> impl Future<Output = kernel::Result<PageParts<Self::Node>>> + Send;
}

/// The one field of a workspace that a document asks for.
struct Place {
    /// The answer up to the value of the field.
    opening: Vec<u8>,
    workspace: Arguments,
    arguments: Arguments,
}

impl Place {
    /// Enters the workspace; `read` reads the arguments of the field.
    async fn enter<A: Send>(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        read: fn(&Given<'_>) -> Option<A>,
    ) -> Option<(Ctx, A)> {
        let given = |arguments| Given { arguments, variables };
        let id: ID = given(&self.workspace).read("id")?;
        let id: WorkspaceId = parse(&id)?;
        let asked = read(&given(&self.arguments))?;
        let entered = scene.access.ctx(id).await.ok()?;
        Some((entered, asked))
    }
}

/// Keeps the route to a field of a workspace for the next time that its document comes, when the field is all that the document asks for.
fn remember_field(ctx: &Context<'_>, route: impl FnOnce(Place) -> Option<Arc<dyn Route>>) {
    let Some((prepared, sole)) = compilable(ctx, OperationType::Query) else {
        return;
    };
    let field = only_field(&sole.field.selection_set);
    let Some(field) = field
        .filter(|field| sole.field.name.node == "workspace" && field.name.node == ctx.item.node.name.node)
    else {
        prepared.decide(None);
        return;
    };
    let mut opening = opening(sole.field);
    opening.push(b'{');
    opening.extend_from_slice(&key_text(&field.response_key().node, true));
    prepared.decide(route(Place {
        opening,
        workspace: Arguments::of(sole.field, sole.operation),
        arguments: Arguments::of(field, sole.operation),
    }));
}

/// Keeps the plan of a page for the next time that its document comes, when the page is all that the document asks for.
pub fn remember<L: Listed>(ctx: &Context<'_>, compile: impl FnOnce() -> Option<PagePlan<L::Node>>) {
    remember_field(ctx, |place| {
        Some(Arc::new(OnePage::<L> {
            place,
            plan: compile()?,
        }))
    });
}

struct OnePage<L: Listed> {
    place: Place,
    plan: PagePlan<L::Node>,
}

#[async_trait::async_trait]
impl<L: Listed> Route for OnePage<L> {
    async fn answer(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        _: &mut Option<Done>,
    ) -> Option<Vec<u8>> {
        let (entered, asked) = self.place.enter(scene, variables, L::given).await?;
        let parts = asked
            .page(&entered, Some(&self.plan), self.plan.counts())
            .await
            .ok()?;
        let mut out = Vec::with_capacity(512 + 512 * parts.items.len());
        out.extend_from_slice(&self.place.opening);
        self.plan.write(scene, &parts, &mut out).await?;
        out.extend_from_slice(b"}}");
        Some(out)
    }
}
