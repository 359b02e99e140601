//! Fields of a workspace that answer a whole list, without pages. As with pages: a document that asks for nothing else is answered straight
//! from its second time on, and no more of each row is read than the answer needs.

use std::sync::Arc;

use async_graphql::{Context, Result, Variables};

use super::Route;
use super::arguments::Given;
use super::command::Done;
use super::place::{Place, remember_field};
use crate::access::Ctx;
use crate::graphql::errors::expose;
use crate::graphql::shape::{Many, Plan, Scene, Shape};
use crate::kernel;

/// The arguments of a field of `Workspace` that answers a whole list.
pub trait Whole: Sized + Send + 'static {
    /// What the list is made of.
    type Item: Shape;

    /// Reads them.
    fn given(given: &Given<'_>) -> Option<Self>;

    /// Reads the list. `columns` are bits of the columns that are needed of each row, `None` for all.
    fn list(
        self,
        ctx: &Ctx,
        columns: Option<u64>,
    ) -> impl Future<Output = kernel::Result<Vec<Self::Item>>> + Send;
}

/// Answers a field of a workspace: reads the list that was asked for, and remembers how.
pub async fn list<L: Whole>(ctx: &Context<'_>, entered: &Ctx, asked: L) -> Result<Many<L::Item>> {
    let plan = Plan::<L::Item>::of_field(ctx);
    let columns = plan.as_ref().map(Plan::columns);
    remember_field(ctx, |place| Some(Arc::new(OneList::<L> { place, plan: plan? })));
    let items = asked.list(entered, columns).await;
    items.map(Many).map_err(expose)
}

struct OneList<L: Whole> {
    place: Place,
    plan: Plan<L::Item>,
}

#[async_trait::async_trait]
impl<L: Whole> Route for OneList<L> {
    async fn answer(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        _: &mut Option<Done>,
    ) -> Option<Vec<u8>> {
        let (entered, asked) = self.place.enter(scene, variables, L::given).await?;
        let items = asked.list(&entered, Some(self.plan.columns())).await.ok()?;
        let mut out = self.place.opening.clone();
        self.plan.write_list(&items, scene, &mut out).await?;
        out.extend_from_slice(b"}}");
        Some(out)
    }
}
