//! A part of a type that is put together from parts. The executor asks one part after the other for a field, each from within the last, so
//! that their futures would lie in each other like dolls: large to move, and looked through by the compiler again at each layer. A part
//! keeps its own on the heap. Knows no types.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
};
use futures_util::future::BoxFuture;

/// One of the parts.
#[derive(Default)]
pub struct Part<T>(pub T);

impl<T: ContainerType> ContainerType for Part<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let resolving: BoxFuture<'_, ServerResult<Option<Value>>> = Box::pin(self.0.resolve_field(ctx));
        resolving.await
    }
}

impl<T: OutputType> OutputType for Part<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let resolving: BoxFuture<'_, ServerResult<Value>> = Box::pin(self.0.resolve(ctx, field));
        resolving.await
    }
}
