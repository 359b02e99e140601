//! The one field of a workspace that a document asks for, whatever it answers.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Context, ID, Variables};
use entity::ids::WorkspaceId;

use super::Route;
use super::arguments::{Arguments, Given};
use super::sole::{compilable, only_field, opening};
use crate::access::Ctx;
use crate::graphql::ids::parse;
use crate::graphql::shape::{Scene, key_text};

/// The one field of a workspace that a document asks for.
pub(super) struct Place {
    /// The answer up to the value of the field.
    pub(super) opening: Vec<u8>,
    workspace: Arguments,
    arguments: Arguments,
}

impl Place {
    /// Enters the workspace; `read` reads the arguments of the field.
    pub(super) async fn enter<A: Send>(
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
pub(super) fn remember_field(ctx: &Context<'_>, route: impl FnOnce(Place) -> Option<Arc<dyn Route>>) {
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
