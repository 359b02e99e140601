//! As little of an HTTP/1.1 client as it takes: requests are bytes that were made before, answers are read for their length.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// Where the answer is in the connection's buffer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 64 * 1024],
            filled: 0,
        })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let (status, start, length) = timeout(PATIENCE, self.read()).await??;
        Ok(Answer {
            status,
            body: &self.buffer[start..start + length],
        })
    }

    async fn read(&mut self) -> Result<(u16, usize, usize)> {
        let start = loop {
            if let Some(end) = find(&self.buffer[..self.filled], b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = std::str::from_utf8(&self.buffer[..start])?.to_ascii_lowercase();
        let status = head.get(9..12).ok_or("no status")?.parse()?;
        let field = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if let Some(length) = field("content-length") {
            let length = length.trim().parse()?;
            while self.filled < start + length {
                self.more().await?;
            }
            return Ok((status, start, length));
        }
        // In pieces, which are put together in place.
        let (mut from, mut to) = (start, start);
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[from..self.filled], b"\r\n") {
                    break end;
                }
                self.more().await?;
            };
            let size =
                usize::from_str_radix(std::str::from_utf8(&self.buffer[from..from + line])?.trim(), 16)?;
            let piece = from + line + 2;
            while self.filled < piece + size + 2 {
                self.more().await?;
            }
            self.buffer.copy_within(piece..piece + size, to);
            (from, to) = (piece + size + 2, to + size);
            if size == 0 {
                return Ok((status, start, to - start));
            }
        }
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
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The bytes of a GraphQL request.
pub(crate) fn request(address: SocketAddr, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Accept: application/graphql-response+json, application/json;q=0.9\r\nUser-Agent: bench\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What came of a stretch of load.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) answered: u64,
    /// Anything but a whole answer without errors.
    pub(crate) failed: u64,
    /// Microseconds of each answer.
    pub(crate) latencies: Vec<u32>,
}

impl Tally {
    /// Latency in milliseconds below which this share of the answers stayed.
    pub(crate) fn percentile(&mut self, share: f64) -> f64 {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1) as f64;
        let found = self.latencies.get((last * share).round() as usize);
        found.map_or(f64::NAN, |&micros| f64::from(micros) / 1000.0)
    }
}

/// Stands for an id that is new each time a request is sent.
pub(crate) const NEW_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A request to send many times.
pub(crate) struct Prepared {
    bytes: Vec<u8>,
    new_id: Option<usize>,
}

impl Prepared {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let new_id = find(&bytes, NEW_ID.as_bytes());
        Self { bytes, new_id }
    }

    /// Sends it, with a new id when it asks for one.
    pub(crate) async fn send<'a>(&self, connection: &'a mut Connection) -> Result<Answer<'a>> {
        let Some(place) = self.new_id else {
            return connection.ask(&self.bytes).await;
        };
        let mut bytes = self.bytes.clone();
        bytes[place..place + NEW_ID.len()].copy_from_slice(uuid::Uuid::new_v4().to_string().as_bytes());
        connection.ask(&bytes).await
    }
}

/// Keeps connections busy until the time is up; the n-th of them asks every n-th request.
pub(crate) async fn drive(
    connections: &mut [Connection],
    requests: &[Prepared],
    length: Duration,
) -> Result<Tally> {
    let end = Instant::now() + length;
    let stride = connections.len();
    let lanes = connections
        .iter_mut()
        .enumerate()
        .map(|(first, connection)| async move {
            let mut tally = Tally::default();
            let mut next = first;
            while Instant::now() < end {
                let asked = Instant::now();
                let answer = requests[next % requests.len()].send(connection).await?;
                if answer.status == 200
                    && find(&answer.body[..answer.body.len().min(64)], b"\"errors\"").is_none()
                {
                    tally.answered += 1;
                } else {
                    tally.failed += 1;
                }
                tally
                    .latencies
                    .push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
                next += stride;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(tally)
        });
    let mut sum = Tally::default();
    for lane in join_all(lanes).await {
        let lane = lane?;
        sum.answered += lane.answered;
        sum.failed += lane.failed;
        sum.latencies.extend(lane.latencies);
    }
    Ok(sum)
}
