//! Relay connections over keyset pages. One macro writes the connection and edge of a type, so that all of them are alike.

use std::sync::Arc;

use async_graphql::{Context, Description};

use super::shape::{PagePlan, object};
use super::straight::Given;
use crate::kernel;
use crate::kernel::page::{Cursor, Cursors, Page, PageArgs, PageRequest};

/// The page arguments that every list has.
pub fn page_args(given: &Given<'_>) -> Option<PageArgs> {
    Some(PageArgs {
        first: given.read("first")?,
        after: given.read("after")?,
        last: given.read("last")?,
        before: given.read("before")?,
    })
}

/// Position of a page inside a connection (Relay cursor connections).
#[derive(Description, Clone, Debug)]
pub struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

object! {
    PageInfo "PageInfo", ();

    /// Whether more edges follow `endCursor` when paginating forwards.
    value has_next_page [] -> bool { |page| page.has_next_page }
    /// Whether more edges precede `startCursor` when paginating backwards.
    value has_previous_page [] -> bool { |page| page.has_previous_page }
    /// Cursor of the first edge of this page. Null on an empty page.
    value start_cursor [] -> Option<&str> { |page| page.start_cursor.as_deref() }
    /// Cursor of the last edge of this page. Null on an empty page.
    value end_cursor [] -> Option<&str> { |page| page.end_cursor.as_deref() }
}

impl PageInfo {
    /// Reads the position off a page.
    pub fn of<T>(page: &Page<T>) -> Self {
        let text =
            |item: Option<&(Option<Cursor>, T)>| item.and_then(|(cursor, _)| Some(cursor.as_ref()?.encode()));
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: text(page.items.first()),
            end_cursor: text(page.items.last()),
        }
    }
}

/// Whether the client wants all matching rows counted.
pub fn wants_total(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// A request for one page of 50 that reads no more of each row than the plan needs.
pub fn page_request<T: super::shape::Shape>(
    args: PageArgs,
    plan: Option<&PagePlan<T>>,
    counts: bool,
) -> kernel::Result<PageRequest> {
    let mut request = args.check(50, counts)?;
    request.columns = plan.map(PagePlan::columns);
    request.cursors = plan.map_or(Cursors::Every, PagePlan::cursors);
    Ok(request)
}

/// The objects of a page with their cursors, as both ways of answering see them.
pub struct PageParts<T> {
    /// The objects; a cursor is empty when nobody asked for it.
    pub items: Arc<[(String, T)]>,
    /// Position of the page.
    pub page_info: PageInfo,
    /// Number of all matching objects, when it was asked for.
    pub total_count: i32,
}

impl<T> PageParts<T> {
    /// Wraps a page; `wrap` makes a node of each row.
    pub fn new<R>(page: Page<R>, mut wrap: impl FnMut(R) -> T) -> Self {
        let page_info = PageInfo::of(&page);
        let total_count = i32::try_from(page.total.unwrap_or(0)).unwrap_or(i32::MAX);
        let items = page.items.into_iter().map(|(cursor, row)| {
            let cursor = cursor.map(|cursor| cursor.encode()).unwrap_or_default();
            (cursor, wrap(row))
        });
        Self {
            items: items.collect(),
            page_info,
            total_count,
        }
    }
}

/// Writes `$connection` and `$edge` for a node type that has a fast form.
macro_rules! shaped_connection {
    ($(#[$doc:meta])* $connection:ident $name:tt, $edge:ident $edge_name:tt, $node:ty, $plural:literal) => {
        $(#[$doc])*
        pub struct $connection {
            parts: $crate::graphql::paging::PageParts<$node>,
            plan: Option<$crate::graphql::shape::PagePlan<$node>>,
        }

        $(#[$doc])*
        #[async_graphql::Object(name = $name)]
        impl $crate::graphql::paging::PageParts<$node> {
            /// Edges of the page, with cursors.
            async fn edges(&self) -> Vec<$edge> {
                let edge = |(cursor, node): &(String, $node)| $edge { cursor: cursor.clone(), node: node.clone() };
                self.items.iter().map(edge).collect()
            }

            #[doc = concat!("The ", $plural, " of the page, without cursors.")]
            async fn nodes(&self) -> Vec<$node> {
                self.items.iter().map(|(_, node)| node.clone()).collect()
            }

            /// Position of the page.
            async fn page_info(&self) -> $crate::graphql::paging::PageInfo {
                self.page_info.clone()
            }

            #[doc = concat!("Number of all matching ", $plural, ". Counted only when selected.")]
            async fn total_count(&self) -> i32 {
                self.total_count
            }
        }

        #[doc = concat!("An edge of `", stringify!($connection), "`.")]
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// Opaque cursor of this edge.
            cursor: String,
            /// The object.
            node: $node,
        }

        impl $connection {
            /// Answers a field of a workspace: reads the page that was asked for, and remembers how.
            pub async fn answer<L>(
                ctx: &async_graphql::Context<'_>,
                entered: &$crate::access::Ctx,
                asked: L,
            ) -> async_graphql::Result<Self>
            where
                L: $crate::graphql::straight::Listed<Node = $node>,
            {
                let compile = || $crate::graphql::shape::PagePlan::compile(ctx, $name, $edge_name);
                $crate::graphql::straight::remember::<L>(ctx, compile);
                let plan = compile();
                let counts = $crate::graphql::paging::wants_total(ctx);
                let parts = asked.page(entered, plan.as_ref(), counts).await;
                let parts = parts.map_err($crate::graphql::errors::expose)?;
                Ok(Self { parts, plan })
            }
        }

        impl async_graphql::OutputType for $connection {
            fn type_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($name)
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <$crate::graphql::paging::PageParts<$node> as async_graphql::OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                field: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                if let Some(plan) = &self.plan
                    && let Some(value) = plan.answer(ctx, &self.parts).await
                {
                    return Ok(value);
                }
                async_graphql::OutputType::resolve(&self.parts, ctx, field).await
            }
        }
    };
}
pub(crate) use shaped_connection;

/// Writes `$connection` and `$edge` for a node type.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ty, $plural:literal) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $connection {
            /// Edges of the page, with cursors.
            edges: Vec<$edge>,
            #[doc = concat!("The ", $plural, " of the page, without cursors.")]
            nodes: Vec<$node>,
            /// Position of the page.
            page_info: $crate::graphql::paging::PageInfo,
            #[doc = concat!("Number of all matching ", $plural, ". Counted only when selected.")]
            total_count: i32,
        }

        #[doc = concat!("An edge of `", stringify!($connection), "`.")]
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// Opaque cursor of this edge.
            cursor: String,
            /// The object.
            node: $node,
        }

        impl $connection {
            /// Wraps a page; `wrap` makes a node of each row.
            pub fn new<T>(page: $crate::kernel::page::Page<T>, mut wrap: impl FnMut(T) -> $node) -> Self {
                let page_info = $crate::graphql::paging::PageInfo::of(&page);
                let total_count = i32::try_from(page.total.unwrap_or(0)).unwrap_or(i32::MAX);
                let edges: Vec<$edge> = page
                    .items
                    .into_iter()
                    .map(|(cursor, row)| $edge { cursor: cursor.map(|cursor| cursor.encode()).unwrap_or_default(), node: wrap(row) })
                    .collect();
                let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
                Self { edges, nodes, page_info, total_count }
            }
        }
    };
}
pub(crate) use connection;

/// Writes the payload of a mutation with one nullable field and `userErrors`.
macro_rules! payload {
    ($name:ident, $mutation:literal, $(#[$doc:meta])* $field:ident: $ty:ty) => {
        #[doc = concat!("Result of `", $mutation, "`.")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$doc])*
            $field: Option<$ty>,
            /// Expected failures. Empty on success.
            user_errors: Vec<$crate::graphql::errors::UserError>,
        }

        impl $name {
            /// Wraps the result of the command.
            fn new<T>(result: $crate::kernel::Result<T>, wrap: impl FnOnce(T) -> $ty) -> async_graphql::Result<Self> {
                let (value, user_errors) = $crate::graphql::errors::outcome(result)?;
                Ok(Self { $field: value.map(wrap), user_errors })
            }
        }
    };
}
pub(crate) use payload;
