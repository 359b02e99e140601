//! Objects that are part of the row.

use std::sync::Arc;

use async_graphql::Error;
use async_graphql::parser::types::SelectionSet;

use super::{Link, Loaded};
use crate::graphql::shape::collect::Env;
use crate::graphql::shape::plan::{Plan, Scene, Shape, State};

/// An object that is part of the row.
pub fn inside<T, U>(
    sets: &[&SelectionSet],
    env: Env<'_>,
    part: fn(&T, &Scene<'_>) -> Option<U>,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    U: Shape,
{
    struct Inside<T, U> {
        part: fn(&T, &Scene<'_>) -> Option<U>,
        plan: Arc<Plan<U>>,
    }

    #[async_trait::async_trait]
    impl<T: Send + Sync + 'static, U: Shape> Link<T> for Inside<T, U> {
        async fn load(&self, _: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let state = self.plan.load(&[], scene).await?;
            Ok(Box::new(Part {
                part: self.part,
                plan: self.plan.clone(),
                state,
            }))
        }
    }

    struct Part<T, U> {
        part: fn(&T, &Scene<'_>) -> Option<U>,
        plan: Arc<Plan<U>>,
        state: State<U>,
    }

    impl<T: Send + Sync, U: Shape> Loaded<T> for Part<T, U> {
        fn write(&self, row: &T, scene: &Scene<'_>, out: &mut Vec<u8>) {
            match (self.part)(row, scene) {
                Some(part) => self.plan.write(&part, &self.state, scene, out),
                None => out.extend_from_slice(b"null"),
            }
        }
    }

    let plan = Plan::<U>::compile(sets, env).filter(Plan::is_flat)?;
    Some(Box::new(Inside {
        part,
        plan: plan.into(),
    }))
}
