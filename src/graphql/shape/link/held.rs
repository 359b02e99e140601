//! Objects that an answer holds, such as those in the payload of a mutation, with all that they refer to. For answers that stand alone:
//! among neighbours each would be written with what belongs to all of them.

use std::sync::Arc;

use async_graphql::Error;
use async_graphql::parser::types::SelectionSet;

use super::{Form, Link, Loaded, write_list};
use crate::graphql::shape::collect::Env;
use crate::graphql::shape::plan::{Plan, Scene, Shape, State};

/// The objects that an answer holds.
pub fn held<T, U>(
    sets: &[&SelectionSet],
    env: Env<'_>,
    parts: fn(&T) -> Vec<U>,
    form: Form,
) -> Option<Box<dyn Link<T>>>
where
    T: Send + Sync + 'static,
    U: Shape,
{
    struct Held<T, U> {
        parts: fn(&T) -> Vec<U>,
        form: Form,
        plan: Arc<Plan<U>>,
    }

    #[async_trait::async_trait]
    impl<T: Send + Sync + 'static, U: Shape> Link<T> for Held<T, U> {
        async fn load(&self, rows: &[&T], scene: &Scene<'_>) -> Result<Box<dyn Loaded<T>>, Error> {
            let parts: Vec<U> = rows.iter().flat_map(|row| (self.parts)(row)).collect();
            let state = {
                let children: Vec<&U> = parts.iter().collect();
                self.plan.load(&children, scene).await?
            };
            Ok(Box::new(Parts {
                form: self.form,
                plan: self.plan.clone(),
                parts,
                state,
            }))
        }
    }

    struct Parts<U> {
        form: Form,
        plan: Arc<Plan<U>>,
        parts: Vec<U>,
        state: State<U>,
    }

    impl<T, U: Shape> Loaded<T> for Parts<U> {
        fn write(&self, _: &T, scene: &Scene<'_>, out: &mut Vec<u8>) {
            match (self.form, self.parts.first()) {
                (Form::List, _) => write_list(&self.plan, &self.parts, &self.state, scene, out),
                (Form::First, Some(part)) => self.plan.write(part, &self.state, scene, out),
                (Form::First, None) => out.extend_from_slice(b"null"),
            }
        }
    }

    let plan = Plan::<U>::compile(sets, env)?;
    Some(Box::new(Held {
        parts,
        form,
        plan: plan.into(),
    }))
}
