//! Payloads of mutations in the fast way: the object that a command made or changed, and no failures.

use async_graphql::Context;

use super::collect::{Env, collect};
use super::json::text;
use super::plan::{Plan, Scene, Shape, is_plain_only, key_text};

enum OfPayload<T> {
    TypeName,
    Object(Plan<T>),
    /// The list of expected failures, which is empty whatever is asked of each.
    NoErrors,
}

/// A compiled selection of the payload of a command that succeeded.
pub struct PayloadPlan<T> {
    steps: Vec<(Box<[u8]>, OfPayload<T>)>,
    name: &'static str,
}

impl<T: Shape> PayloadPlan<T> {
    /// Compiles the selection below the field that answers the payload `name`, which has its object in `field`; `None` when the plain
    /// resolvers have to answer.
    pub fn compile(ctx: &Context<'_>, name: &'static str, field: &str) -> Option<Self> {
        if is_plain_only(ctx) {
            return None;
        }
        let env = Env::of(ctx);
        let asked = collect(&[&ctx.item.node.selection_set.node], name, env);
        let mut steps = Vec::with_capacity(asked.len());
        for (key, asked) in asked {
            let step = match asked.field.name.node.as_str() {
                "__typename" => OfPayload::TypeName,
                "userErrors" => OfPayload::NoErrors,
                other if other == field => OfPayload::Object(Plan::compile(&asked.sets, env)?),
                _ => return None,
            };
            steps.push((key_text(key, steps.is_empty()), step));
        }
        (!steps.is_empty()).then_some(Self { steps, name })
    }

    /// Loads what the object refers to and writes the payload; `None` when that failed.
    pub async fn write(&self, object: &T, scene: &Scene<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut states = Vec::with_capacity(1);
        for (_, step) in &self.steps {
            states.push(match step {
                OfPayload::Object(plan) => Some(plan.load(&[object], scene).await.ok()?),
                OfPayload::TypeName | OfPayload::NoErrors => None,
            });
        }
        out.push(b'{');
        for ((key, step), state) in self.steps.iter().zip(&states) {
            out.extend_from_slice(key);
            match (step, state) {
                (OfPayload::Object(plan), Some(state)) => plan.write(object, state, scene, out),
                (OfPayload::NoErrors, _) => out.extend_from_slice(b"[]"),
                (OfPayload::TypeName | OfPayload::Object(_), _) => text(self.name, out),
            }
        }
        out.push(b'}');
        Some(())
    }
}
