//! Every metric: name, kind, labels and what it says. The list in SETUP.md is made from here, and dashboards and alert rules are checked
//! against it. Labels only have values that the program itself bounds.

/// How a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; starts again at zero with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets of seconds.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name in queries.
    pub name: &'static str,
    /// How it is counted.
    pub kind: Kind,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

macro_rules! metrics {
    ($( $id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal; )+) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )+
        /// Every metric, in the order of the documentation.
        pub const ALL: &[Metric] = &[$($id),+];
    };
}

metrics! {
    UP = Gauge "meridian_build_info" ["version", "commit"] "1; version and commit are its labels.";
    OPERATION = Histogram "meridian_operation_seconds" ["operation", "kind", "outcome"]
        "Time of queries and mutations by operation name: the first 200 names that signed-in callers use, `(unnamed)` and `(other)`. The outcome is `ok` or `failed`.";
    HTTP = Histogram "meridian_http_request_seconds" ["route", "status"]
        "Time of HTTP requests by route and class of status (`2xx`); everything without a route is `(unknown)`.";
    ERRORS = Counter "meridian_errors_total" ["code"] "Errors that clients were told, by `extensions.code`.";
    SOCKETS = Gauge "meridian_sockets" [] "Open WebSockets.";
    SUBSCRIPTIONS = Gauge "meridian_subscriptions" [] "Running subscriptions.";
    CIRCLES = Gauge "meridian_subscription_groups" []
        "Groups of subscriptions that are executed once for all who sit in them.";
    CHANGE_LAG = Histogram "meridian_change_lag_seconds" []
        "Time from the moment of a change to the moment its group of subscribers gets it.";
    DB_CONNECTIONS = Gauge "meridian_db_connections" ["pool", "state"]
        "Database connections of this process, `busy` and `idle`.";
    DB_CONNECTIONS_MAX = Gauge "meridian_db_connections_max" ["pool"] "Most connections that the pool opens.";
    DB_UP = Gauge "meridian_db_up" [] "1 while the database answers, otherwise 0.";
    REDIS_UP = Gauge "meridian_redis_up" [] "1 while Redis answers, otherwise 0; absent without Redis.";
    REDIS_FAILURES = Counter "meridian_redis_failures_total" [] "Calls to Redis without a good answer.";
    MESSAGES_LIVE = Gauge "meridian_messages_live" []
        "1 while messages of the other replicas arrive; 0 while nothing is cached because they may be missing.";
    CACHE_HITS = Counter "meridian_cache_hits_total" ["cache"] "Look-ups that the cache answered.";
    CACHE_MISSES = Counter "meridian_cache_misses_total" ["cache"] "Look-ups that went to the database.";
    LIMITS_ALONE = Counter "meridian_limits_decided_alone_total" []
        "Charges that this replica decided by itself because Redis was away.";
    JOBS = Gauge "meridian_jobs" ["queue", "state"]
        "Jobs of the installation by queue and state: queued, running, retrying, dead. Every process reports the same: use `max`.";
    JOBS_AGE = Gauge "meridian_jobs_oldest_seconds" ["queue"]
        "How long the oldest due job of the queue has been waiting. Every process reports the same: use `max`.";
    JOBS_PAUSED = Gauge "meridian_jobs_paused" ["queue"] "1 while workers take no new jobs of the queue.";
    WORKERS = Gauge "meridian_workers" ["queue"]
        "Processes that work on the queue. Every process reports the same: use `max`.";
    PROCESSES = Gauge "meridian_processes" ["role", "state"]
        "Processes of the installation by the command that started them: `live`, and `gone` without a good-bye while no other of the kind has started since, for an hour at most. Every process reports the same: use `max`.";
    JOB = Histogram "meridian_job_seconds" ["kind", "outcome"]
        "Time of attempts of this process by kind of job and outcome: succeeded, failed, dead, cancelled, handed_back, lost. Planning runs are among them.";
    SYNC_STALE = Gauge "meridian_sync_oldest_seconds" []
        "Time since the integration that waits longest was last in step with its service; paused ones do not count. Every process reports the same: use `max`.";
    SYNC_FAILING = Gauge "meridian_sync_failing" []
        "Integrations that need somebody: failed, held, or signed out. Every process reports the same: use `max`.";
}
