//! Fields of a workspace that answer pages.

use std::sync::Arc;

use async_graphql::{Context, Variables};

use super::Route;
use super::arguments::Given;
use super::command::Done;
use super::place::{Place, remember_field};
use crate::access::Ctx;
use crate::graphql::paging::PageParts;
use crate::graphql::shape::{PagePlan, Scene, Shape};
use crate::kernel;

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
