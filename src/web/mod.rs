//! HOW HTTP COMES IN. The list of routes, the GraphQL endpoints, sign-in, health, and what every answer carries. Promises: hostile
//! or slow clients cost a bounded amount. Must not know rules or tables; it builds a caller and asks [`crate::graphql`].

pub mod admin;
mod auth;
mod body;
mod client;
mod failure;
mod feed;
pub mod graphiql;
mod graphiql_page;
mod graphql_answer;
mod graphql_documents;
mod graphql_http;
mod graphql_operation;
mod graphql_ws;
pub mod health;
mod infrastructure;
mod lane;
mod origins;
mod personal_data;
mod reports;
mod routes;
mod serve;
mod sign_in;
mod transfers;
mod unsubscribe;

use std::sync::Arc;

use crate::access::oidc::Directory;
use crate::graphql::{self, ApiSchema};
use crate::platform::Platform;
use graphql_ws::Sockets;
use health::Health;
use origins::Origins;

pub use graphql_documents::Documents;
pub use routes::router;
pub use serve::serve;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

/// What a [`Web`] is made of.
pub struct Parts {
    /// The machines.
    pub platform: Platform,
    /// The executable schema.
    pub schema: ApiSchema,
    /// The state of the services.
    pub health: Health,
    /// Documents that clients may name.
    pub documents: Documents,
}

struct Inner {
    parts: Parts,
    origins: Origins,
    prepared: graphql::Documents,
    sockets: Sockets,
    /// What issuers say about themselves.
    directory: Directory,
    /// The schema as text; it never changes while the process lives.
    sdl: String,
}

impl Web {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let origins = Origins::new(&parts.platform.config);
        let directory = Directory::new(&parts.platform.config);
        let sdl = graphql::sdl(&parts.schema);
        Self(Arc::new(Inner {
            parts,
            origins,
            prepared: graphql::Documents::default(),
            sockets: Sockets::default(),
            directory,
            sdl,
        }))
    }

    fn origins(&self) -> &Origins {
        &self.0.origins
    }

    fn prepared(&self) -> &graphql::Documents {
        &self.0.prepared
    }

    fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    fn directory(&self) -> &Directory {
        &self.0.directory
    }

    fn sdl(&self) -> &str {
        &self.0.sdl
    }
}

impl std::ops::Deref for Web {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
