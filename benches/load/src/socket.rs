//! Subscribers that cost the load little: the WebSocket protocol by hand, one small buffer each.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Result;
use crate::documents::subscription;
use crate::sample::Sample;
use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(60);
/// Sockets from one source address: ports are a 16-bit number.
const PER_ADDRESS: usize = 10_000;

/// Subscribers of one workspace.
#[derive(Default)]
pub(crate) struct Room {
    pub(crate) heard: AtomicU64,
    pub(crate) news: Notify,
}

/// One open subscription.
pub(crate) struct Subscriber {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Subscriber {
    /// Connects, introduces itself and subscribes to the tasks of the sample's workspace. `index` spreads sockets over addresses.
    pub(crate) async fn open(server: &Server, who: &Sample, index: usize) -> Result<Self> {
        timeout(PATIENCE, Self::connect(server, who, index)).await?
    }

    async fn connect(server: &Server, who: &Sample, index: usize) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let last = u8::try_from(2 + index / PER_ADDRESS)?;
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
        let mut stream = socket.connect(server.address).await?;
        stream.set_nodelay(true)?;
        let upgrade = format!(
            "GET /graphql HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
            server.address
        );
        stream.write_all(upgrade.as_bytes()).await?;
        let mut this = Self {
            stream,
            buffer: vec![0; 1024],
            filled: 0,
        };
        let head = loop {
            this.more().await?;
            if let Some(end) = this.buffer[..this.filled]
                .windows(4)
                .position(|part| part == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        if !this.buffer.starts_with(b"HTTP/1.1 101") {
            return Err(format!(
                "no upgrade: {}",
                String::from_utf8_lossy(&this.buffer[..this.filled])
            )
            .into());
        }
        this.consume(head);
        let token = format!("Bearer {}", who.token);
        this.say(&json!({ "type": "connection_init", "payload": { "authorization": token } }))
            .await?;
        while !this.next().await?.contains("connection_ack") {}
        let (query, variables) = subscription(server.dialect, who.workspace);
        let payload = json!({ "query": query, "operationName": "s", "variables": variables });
        this.say(&json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await?;
        Ok(this)
    }

    /// Counts changes until the server hangs up.
    pub(crate) async fn listen(mut self, room: Arc<Room>) -> Result<()> {
        loop {
            let text = self.next().await?;
            if text.contains("\"type\":\"next\"") && !text.contains("\"errors\"") {
                room.heard.fetch_add(1, Ordering::Relaxed);
                room.news.notify_one();
            } else if text.contains("\"type\":\"error\"") || text.contains("\"errors\"") {
                return Err(format!("a subscription failed: {text}").into());
            }
        }
    }

    /// The next text message; pings of both protocols are answered on the way.
    pub(crate) async fn next(&mut self) -> Result<String> {
        loop {
            let Some((kind, start, end)) = self.frame() else {
                self.more().await?;
                continue;
            };
            let payload = self.buffer[start..end].to_vec();
            self.consume(end);
            match kind {
                1 => {
                    let text = String::from_utf8(payload)?;
                    if !text.contains("\"type\":\"ping\"") {
                        return Ok(text);
                    }
                    self.say(&json!({ "type": "pong" })).await?;
                }
                9 => self.send(10, &payload).await?,
                8 => return Err(format!("closed: {}", String::from_utf8_lossy(&payload)).into()),
                _ => {}
            }
        }
    }

    /// Kind, start and end of the first frame, once it is whole.
    fn frame(&self) -> Option<(u8, usize, usize)> {
        let bytes = &self.buffer[..self.filled];
        let (kind, short) = (bytes.first()? & 15, usize::from(bytes.get(1)? & 127));
        let (start, length) = match short {
            126 => (
                4,
                usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            ),
            127 => (
                10,
                usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
            ),
            _ => (2, short),
        };
        (bytes.len() >= start + length).then_some((kind, start, start + length))
    }

    fn consume(&mut self, count: usize) {
        self.buffer.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    async fn more(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..]).await? {
            0 => Err("the server hung up".into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }

    async fn say(&mut self, message: &serde_json::Value) -> Result<()> {
        self.send(1, message.to_string().as_bytes()).await
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | kind];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(payload.len())?.to_be_bytes());
            }
        }
        // A mask of zeros is a mask.
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        Ok(self.stream.write_all(&frame).await?)
    }
}
