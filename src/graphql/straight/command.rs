//! Mutations around the executor. A command must not be carried out twice, so nothing is left to the executor after it but what it answered:
//! where that is not plainly an object (a refusal, an error, a relation that could not be read), the executor runs with the outcome of the
//! command in its hands, and finds the words for it.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::OperationType;
use async_graphql::{Context, Variables};

use super::{Arguments, Given, Route, compilable, opening};
use crate::access::Access;
use crate::graphql::access;
use crate::graphql::shape::{PayloadPlan, Scene, Shape};
use crate::kernel;

/// What a command answered before the executor was asked for the rest.
pub struct Done(Mutex<Option<Box<dyn Any + Send>>>);

impl Done {
    fn of<T: Send + 'static>(outcome: T) -> Self {
        Self(Mutex::new(Some(Box::new(outcome))))
    }

    fn take<T: 'static>(&self) -> Option<T> {
        let outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        outcome.downcast::<T>().ok().map(|outcome| *outcome)
    }
}

/// A command of a mutation whose payload is one object and `userErrors`, declared with `commands!`.
pub trait Command: Send + Sync + 'static {
    /// The arguments of the mutation.
    type Given: Send;
    /// The object in the payload.
    type Node: Shape;

    /// Type of the payload.
    const PAYLOAD: &'static str;
    /// Field of the object in it.
    const FIELD: &'static str;

    /// Reads the arguments.
    fn given(given: &Given<'_>) -> Option<Self::Given>;

    /// Carries it out.
    fn run(access: &Access, given: Self::Given) -> impl Future<Output = kernel::Result<Self::Node>> + Send;
}

/// Carries out the command of a running mutation, unless that was done already; remembers how to do without the executor the next time.
pub async fn command<C: Command>(ctx: &Context<'_>, given: C::Given) -> kernel::Result<C::Node> {
    if let Some(done) = ctx.data_opt::<Done>().and_then(Done::take) {
        return done;
    }
    remember::<C>(ctx);
    C::run(access(ctx), given).await
}

fn remember<C: Command>(ctx: &Context<'_>) {
    let Some((prepared, sole)) = compilable(ctx, OperationType::Mutation) else {
        return;
    };
    let plan = PayloadPlan::<C::Node>::compile(ctx, C::PAYLOAD, C::FIELD)
        .filter(|_| sole.field.name.node == ctx.item.node.name.node);
    let route = plan.map(|plan| -> Arc<dyn Route> {
        Arc::new(OneCommand::<C> {
            opening: opening(sole.field),
            arguments: Arguments::of(sole.field, sole.operation),
            plan,
        })
    });
    prepared.decide(route);
}

struct OneCommand<C: Command> {
    opening: Vec<u8>,
    arguments: Arguments,
    plan: PayloadPlan<C::Node>,
}

#[async_trait::async_trait]
impl<C: Command> Route for OneCommand<C> {
    async fn answer(
        &self,
        scene: &Scene<'_>,
        variables: &Variables,
        done: &mut Option<Done>,
    ) -> Option<Vec<u8>> {
        let given = C::given(&Given {
            arguments: &self.arguments,
            variables,
        })?;
        let outcome = C::run(scene.access, given).await;
        if let Ok(object) = &outcome {
            let mut out = Vec::with_capacity(512);
            out.extend_from_slice(&self.opening);
            if self.plan.write(object, scene, &mut out).await.is_some() {
                out.push(b'}');
                return Some(out);
            }
        }
        *done = Some(Done::of(outcome));
        None
    }
}

/// Declares commands, each with the arguments of its mutation and their names in the schema:
///
/// ```text
/// Name(argument "argument": Type) -> Payload "field": Object, |access| { what it does };
/// ```
macro_rules! commands {
    ($(
        $name:ident($($arg:ident $key:literal: $ty:ty),+) -> $payload:ident $field:literal: $node:ty, |$access:ident| $body:block;
    )+) => {
        $(
            struct $name;

            impl $crate::graphql::straight::Command for $name {
                type Given = ($($ty,)+);
                type Node = $node;

                const PAYLOAD: &'static str = stringify!($payload);
                const FIELD: &'static str = $field;

                fn given(given: &$crate::graphql::straight::Given<'_>) -> Option<Self::Given> {
                    Some(($(given.read($key)?,)+))
                }

                async fn run(
                    $access: &$crate::access::Access,
                    ($($arg,)+): Self::Given,
                ) -> $crate::kernel::Result<Self::Node> $body
            }
        )+
    };
}
pub(crate) use commands;
