//! Root fields that answer one object by its id.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Context, ID, Result, Variables};
use futures_util::future::BoxFuture;

use super::Route;
use super::arguments::{Arguments, Given};
use super::command::Done;
use super::sole::{compilable, opening};
use crate::access::Access;
use crate::graphql::access;
use crate::graphql::errors::lookup;
use crate::graphql::shape::{Plan, Scene, Shape, columns_asked};
use crate::kernel;

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
