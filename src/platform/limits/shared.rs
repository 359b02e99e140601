//! Budgets that replicas share: one script in Redis decides about all charges of a request, and of some to come, in one round trip, by the clock of Redis.
//! Promises: the same steady refill as the budgets of one process, all charges or none, and keys that vanish once they are full again.

use std::sync::LazyLock;

use fred::clients::Client;
use fred::error::Error as RedisError;
use fred::types::scripts::Script;

use crate::kernel::Result;
use crate::platform::redis::Redis;

/// Each key holds the instant, in microseconds, at which its budget is full again. A charge moves it by its share of the window; one
/// that would move it further than a window ahead is refused, and then nothing is spent. What is to be paid in advance is paid only
/// when all of it fits; the first number of the answer says whether it was.
const SPEND: &str = r"
    local clock = redis.call('TIME')
    local now = clock[1] * 1000000 + clock[2]
    local window = tonumber(ARGV[1])
    local known, wanted, over, ahead, fits, more = {}, {}, {}, {}, true, true
    for i = 1, #KEYS do
        local step = window / tonumber(ARGV[3 * i - 1])
        known[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now)
        wanted[i] = known[i] + step * tonumber(ARGV[3 * i])
        ahead[i] = wanted[i] + step * tonumber(ARGV[3 * i + 1])
        over[i] = wanted[i] - now - window
        if over[i] > 0.5 then fits = false end
        if ahead[i] - now - window > 0.5 then more = false end
    end
    local answer = {more and 1 or 0}
    for i = 1, #KEYS do
        local full = known[i]
        if fits then
            full = more and ahead[i] or wanted[i]
            redis.call('SET', KEYS[i], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
        end
        answer[2 * i] = math.floor(full - now + 0.5)
        answer[2 * i + 1] = math.max(0, math.ceil(over[i] - 0.5))
    end
    return answer";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::from_lua(SPEND));

/// A charge: whose budget, its size, and what is taken from it.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) limit: u32,
    pub(super) cost: u32,
    /// What is paid in advance besides, if it can be.
    pub(super) ahead: u32,
}

/// What came of one charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Microseconds until the budget is full again.
    pub(super) reset: u64,
    /// Microseconds until the charge would fit; zero when it does.
    pub(super) wait: u64,
}

/// Asks Redis about all charges at once; says too whether all of them were paid in advance as well.
pub(super) async fn spend(
    redis: &Redis,
    window_micros: u64,
    entries: &[Entry],
) -> Result<(bool, Vec<Answer>)> {
    let keys: Vec<String> = entries
        .iter()
        .map(|entry| redis.key(format_args!("rate:{}", entry.key)))
        .collect();
    let mut arguments = vec![window_micros.to_string()];
    for entry in entries {
        arguments.extend([entry.limit, entry.cost, entry.ahead].map(|number| number.to_string()));
    }
    let ask = |client: Client| async move {
        let answer: Result<Vec<i64>, RedisError> = SCRIPT.evalsha_with_reload(&client, keys, arguments).await;
        answer
    };
    let numbers = redis.call(ask).await?;
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    let Some((paid, numbers)) = numbers.split_first() else {
        return Ok((false, Vec::new()));
    };
    let answers = numbers.chunks_exact(2).map(|pair| Answer {
        reset: number(pair[0]),
        wait: number(pair[1]),
    });
    Ok((*paid == 1, answers.collect()))
}
