//! Relay connections over keyset pages. One macro writes the connection and edge of a type, so that all of them are alike.

use async_graphql::SimpleObject;

use crate::kernel::page::Page;

/// Position of a page inside a connection (Relay cursor connections).
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether more edges follow `endCursor` when paginating forwards.
    has_next_page: bool,
    /// Whether more edges precede `startCursor` when paginating backwards.
    has_previous_page: bool,
    /// Cursor of the first edge of this page. Null on an empty page.
    start_cursor: Option<String>,
    /// Cursor of the last edge of this page. Null on an empty page.
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Reads the position off a page.
    pub fn of<T>(page: &Page<T>) -> Self {
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.items.first().map(|(cursor, _)| cursor.encode()),
            end_cursor: page.items.last().map(|(cursor, _)| cursor.encode()),
        }
    }
}

/// Whether the client wants all matching rows counted.
pub fn wants_total(ctx: &async_graphql::Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

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
                    .map(|(cursor, row)| $edge { cursor: cursor.encode(), node: wrap(row) })
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
