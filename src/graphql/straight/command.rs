//! Mutations around the executor. A command must not be carried out twice, so nothing is left to the executor after it but what it answered:
//! where that is not plainly an object (a refusal, an error, a relation that could not be read), the executor runs with the outcome of the
//! command in its hands, and finds the words for it.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::OperationType;
use async_graphql::{Context, Result, Variables};

use super::Route;
use super::arguments::{Arguments, Given};
use super::payload::Payload;
use super::sole::{compilable, opening};
use crate::access::Access;
use crate::graphql::access;
use crate::graphql::errors::outcome;
use crate::graphql::shape::{Plan, Scene};
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

/// A command of a mutation, declared with `commands!`.
pub trait Command: Send + Sync + 'static {
    /// The arguments of the mutation.
    type Given: Send;
    /// What the mutation answers.
    type Payload: Payload;

    /// Reads the arguments.
    fn given(given: &Given<'_>) -> Option<Self::Given>;

    /// Carries it out.
    fn run(access: &Access, given: Self::Given)
    -> impl Future<Output = kernel::Result<Self::Payload>> + Send;
}

/// Carries out the command of a running mutation, unless that was done already; remembers how to do without the executor the next time.
pub async fn command<C: Command>(ctx: &Context<'_>, given: C::Given) -> Result<C::Payload> {
    let done: Option<kernel::Result<C::Payload>> = ctx.data_opt::<Done>().and_then(Done::take);
    let result = match done {
        Some(done) => done,
        None => {
            remember::<C>(ctx);
            C::run(access(ctx), given).await
        }
    };
    let (payload, user_errors) = outcome(result)?;
    Ok(payload.unwrap_or_else(|| C::Payload::refused(user_errors)))
}

fn remember<C: Command>(ctx: &Context<'_>) {
    let Some((prepared, sole)) = compilable(ctx, OperationType::Mutation) else {
        return;
    };
    let plan = Plan::<C::Payload>::of_field(ctx).filter(|_| sole.field.name.node == ctx.item.node.name.node);
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
    plan: Plan<C::Payload>,
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
        if let Ok(payload) = &outcome {
            // What runs on from the command is seen at its end.
            let scene = scene.again();
            if let Ok(state) = self.plan.load(&[payload], &scene).await {
                let mut out = Vec::with_capacity(512);
                out.extend_from_slice(&self.opening);
                self.plan.write(payload, &state, &scene, &mut out);
                out.push(b'}');
                return Some(out);
            }
        }
        *done = Some(Done::of(outcome));
        None
    }
}

/// Declares commands, each with the arguments of its mutation, their names in the schema, and what the schema says of those that are left
/// out:
///
/// ```text
/// Name(argument "argument": Type, other "other": Type = default) -> Payload, |access| { what it does };
/// ```
macro_rules! commands {
    ($(
        $name:ident($($arg:ident $key:literal: $ty:ty $(= $default:expr)?),+) -> $payload:ty, |$access:ident| $body:block;
    )+) => {
        $(
            struct $name;

            impl $crate::graphql::straight::Command for $name {
                type Given = ($($ty,)+);
                type Payload = $payload;

                fn given(given: &$crate::graphql::straight::Given<'_>) -> Option<Self::Given> {
                    Some(($($crate::graphql::straight::argument!(given, $key $(, $default)?),)+))
                }

                async fn run(
                    $access: &$crate::access::Access,
                    ($($arg,)+): Self::Given,
                ) -> $crate::kernel::Result<Self::Payload> $body
            }
        )+
    };
}
pub(crate) use commands;

/// Reads one argument of a command.
macro_rules! argument {
    ($given:ident, $key:literal) => {
        $given.read($key)?
    };
    ($given:ident, $key:literal, $default:expr) => {
        $given.read_or($key, $default)?
    };
}
pub(crate) use argument;
