//! Leases that replicas share: one hash in Redis for each workspace, a field for each client, by the clock of Redis. Each call is one script
//! and one round trip. Fields that nobody renews are dropped by whoever reads next; a hash that nobody writes vanishes.

use std::sync::LazyLock;
use std::time::Duration;

use entity::ids::{UserId, WorkspaceId};
use fred::clients::Client as Connection;
use fred::error::Error as RedisError;
use fred::types::scripts::Script;
use uuid::Uuid;

use super::{Client, LEASE};
use crate::kernel::presence::Sign;
use crate::kernel::{Error, Result};
use crate::platform::redis::Redis;

/// Stores fields with their end in front of the value, deletes others, and answers with what is left, if that is wanted, after a word on
/// whether Redis had lost everything that is stored.
const EXCHANGE: &str = r"
    local clock = redis.call('TIME')
    local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
    local lease = tonumber(ARGV[1])
    local sets = tonumber(ARGV[3])
    local at, known = 4, 0
    for i = 1, sets do
        known = known + redis.call('HEXISTS', KEYS[1], ARGV[at])
        redis.call('HSET', KEYS[1], ARGV[at], string.format('%.0f', now + lease) .. ' ' .. ARGV[at + 1])
        at = at + 2
    end
    for i = at, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
    if sets > 0 then redis.call('PEXPIRE', KEYS[1], lease * 2) end
    if ARGV[2] == '0' then return {} end
    local all, live = redis.call('HGETALL', KEYS[1]), { (sets > 0 and known == 0) and 'lost' or 'kept' }
    for i = 1, #all, 2 do
        local stop, text = string.match(all[i + 1], '^(%d+) (.*)$')
        local left = tonumber(stop) - now
        if left > 0 then
            live[#live + 1] = all[i]
            live[#live + 1] = string.format('%.0f', left)
            live[#live + 1] = text
        else
            redis.call('HDEL', KEYS[1], all[i])
        end
    end
    return live";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::from_lua(EXCHANGE));

/// What a replica says of one of its clients, and for how long that is to be believed.
pub(super) struct Lease {
    pub(super) instance: Box<str>,
    pub(super) client: Client,
    pub(super) sign: Sign,
    pub(super) left: Duration,
}

/// What Redis knows of a workspace.
#[derive(Default)]
pub(super) struct Leases {
    /// Everybody who is here.
    pub(super) all: Vec<Lease>,
    /// Redis had forgotten this replica, and so perhaps the others.
    pub(super) is_lost: bool,
}

/// Everybody who is here.
pub(super) async fn read(redis: &Redis, workspace: WorkspaceId) -> Result<Vec<Lease>> {
    Ok(exchange(redis, workspace, &[], true).await?.all)
}

/// Renews the leases of all clients of this replica; answers with everybody who is here.
pub(super) async fn renew(redis: &Redis, workspace: WorkspaceId, own: &[(Client, Sign)]) -> Result<Leases> {
    let own: Vec<(Client, Option<Sign>)> = own
        .iter()
        .map(|(client, sign)| (*client, Some(sign.clone())))
        .collect();
    exchange(redis, workspace, &own, true).await
}

/// Stores what changed: clients that gave a sign, and those that are gone.
pub(super) async fn store(
    redis: &Redis,
    workspace: WorkspaceId,
    changed: &[(Client, Option<Sign>)],
) -> Result<()> {
    exchange(redis, workspace, changed, false).await.map(drop)
}

async fn exchange(
    redis: &Redis,
    workspace: WorkspaceId,
    changed: &[(Client, Option<Sign>)],
    wants_all: bool,
) -> Result<Leases> {
    let key = redis.key(format_args!("presence:{}", workspace.0.simple()));
    let field = |client: &Client| {
        let (user, source) = (client.user_id.0.simple(), client.source.simple());
        format!("{}:{user}:{source}", redis.instance())
    };
    let sets = changed
        .iter()
        .filter_map(|(client, sign)| Some((client, sign.as_ref()?)));
    let mut arguments = vec![
        LEASE.as_millis().to_string(),
        u8::from(wants_all).to_string(),
        sets.clone().count().to_string(),
    ];
    for (client, sign) in sets {
        arguments.push(field(client));
        arguments.push(serde_json::to_string(sign).map_err(Error::internal)?);
    }
    let gone = changed.iter().filter(|(_, sign)| sign.is_none());
    arguments.extend(gone.map(|(client, _)| field(client)));
    let ask = |connection: Connection| async move {
        let answer: Result<Vec<String>, RedisError> = SCRIPT
            .evalsha_with_reload(&connection, vec![key], arguments)
            .await;
        answer
    };
    let texts = redis.call(ask).await?;
    let Some((word, texts)) = texts.split_first() else {
        return Ok(Leases::default());
    };
    Ok(Leases {
        all: texts.chunks_exact(3).filter_map(lease).collect(),
        is_lost: word == "lost",
    })
}

/// A newer version may say more than this one understands; what it does not understand is not here.
fn lease(texts: &[String]) -> Option<Lease> {
    let [field, left, sign] = texts else { return None };
    let mut parts = field.rsplitn(3, ':');
    let source = Uuid::parse_str(parts.next()?).ok()?;
    let user_id = UserId(Uuid::parse_str(parts.next()?).ok()?);
    Some(Lease {
        instance: parts.next()?.into(),
        client: Client { user_id, source },
        sign: serde_json::from_str(sign).ok()?,
        left: Duration::from_millis(left.parse().ok()?),
    })
}
