//! The floor: the least work that answers the benchmark's questions. It knows the questions by name, has one prepared statement for
//! each, and writes the answers by hand, to the byte as the server does. It keeps who may see what in memory and validates nothing:
//! what it costs is what HTTP, PostgreSQL and JSON cost, not what a server should cost.

mod json;
mod queries;
mod request;
mod scalars;
mod socket;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use uuid::Uuid;

use queries::Database;
use request::Request;
use socket::Rooms;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const CONNECTIONS: usize = 10;

/// A person and where they are a member.
pub(crate) struct Caller {
    pub(crate) id: Uuid,
    pub(crate) workspaces: Vec<Uuid>,
}

/// Everything that a request needs.
pub(crate) struct Floor {
    databases: Vec<Database>,
    next: AtomicUsize,
    callers: HashMap<[u8; 32], Arc<Caller>>,
    pub(crate) rooms: Rooms,
}

impl Floor {
    /// The connections in turn; several requests share one at a time.
    pub(crate) fn database(&self) -> &Database {
        &self.databases[self.next.fetch_add(1, Ordering::Relaxed) % self.databases.len()]
    }

    /// Who a token belongs to.
    pub(crate) fn caller(&self, bearer: &str) -> Option<Arc<Caller>> {
        let token = bearer.strip_prefix("Bearer ")?;
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.callers.get(&hash).cloned()
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("usage: meridian-bench-floor ADDRESS POSTGRES_URL".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&listen, &url))
}

async fn serve(listen: &str, url: &str) -> Result<()> {
    let mut databases = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        databases.push(Database::connect(url).await?);
    }
    let floor = Arc::new(Floor {
        databases,
        next: AtomicUsize::new(0),
        callers: callers(url).await?,
        rooms: Rooms::default(),
    });
    let router = Router::new()
        .route("/graphql", post(answer).get(upgrade))
        .route("/readyz", get(|| async { "ok" }))
        .with_state(floor);
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            // A client that leaves is no failure.
            connection.await.ok();
        });
    }
}

async fn callers(url: &str) -> Result<HashMap<[u8; 32], Arc<Caller>>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let sql = "SELECT t.token_hash, t.user_id, array_agg(m.workspace_id) FROM api_tokens t JOIN memberships m USING (user_id) \
               WHERE t.revoked_at IS NULL GROUP BY 1, 2";
    let rows = client.query(sql, &[]).await?;
    let caller = |row: &tokio_postgres::Row| {
        let hash: &[u8] = row.get(0);
        let caller = Caller {
            id: row.get(1),
            workspaces: row.get(2),
        };
        Ok((hash.try_into()?, Arc::new(caller)))
    };
    rows.iter().map(caller).collect()
}

async fn answer(State(floor): State<Arc<Floor>>, headers: axum::http::HeaderMap, body: Bytes) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let Some(caller) = bearer.and_then(|bearer| floor.caller(bearer)) else {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    };
    let answered = async {
        let request: Request<'_> = serde_json::from_slice(&body)?;
        queries::answer(&floor, &caller, request).await
    };
    match answered.await {
        Ok(body) => (
            [("content-type", "application/graphql-response+json; charset=utf-8")],
            body,
        )
            .into_response(),
        Err(error) => (axum::http::StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn upgrade(State(floor): State<Arc<Floor>>, socket: WebSocketUpgrade) -> Response {
    socket
        .protocols(["graphql-transport-ws"])
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .on_upgrade(|socket| socket::talk(floor, socket))
}
