//! What the settings promise, from the outside.

use super::*;

fn parse(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::parse(
        &pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    )
}

fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
    parse(pairs)
        .unwrap_err()
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

#[test]
fn nothing_has_to_be_set() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.env, Environment::Development);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8000/");
    assert_eq!(config.database.url.expose(), "sqlite://./data/meridian.db");
    assert!(config.database.is_sqlite() && config.database.auto_migrate);
    assert!(config.redis.is_none() && config.graphiql && config.introspection);
    assert_eq!(config.log.format, LogFormat::Pretty);
    assert_eq!(config.limits.body_bytes, 262_144);
    assert_eq!(config.limits.header_timeout, Duration::from_secs(10));
    assert_eq!(config.rates.caller_requests, 1_000);
}

#[test]
fn an_address_for_others_means_production() {
    let config = parse(&[("MERIDIAN_LISTEN", "0.0.0.0:80"), ("MERIDIAN_SECRET_KEY", KEY)]).unwrap();
    assert_eq!(config.env, Environment::Production);
    assert!(!config.graphiql && !config.introspection);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.secret_keys().unwrap().len(), 1);
}

#[test]
fn production_needs_a_key() {
    let found = problems(&[("MERIDIAN_ENV", "production")]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("MERIDIAN_SECRET_KEY: it is required in production"),
        "{found:?}"
    );
}

#[test]
fn whoever_comes_through_a_proxy_is_no_internal_service() {
    let production = |more: &[(&str, &str)]| {
        let mut pairs = vec![("MERIDIAN_ENV", "production"), ("MERIDIAN_SECRET_KEY", KEY)];
        pairs.extend(more);
        parse(&pairs).map_err(|error| error.to_string())
    };
    let https = ("MERIDIAN_PUBLIC_URL", "https://meridian.example.org");
    let internal = |networks| ("MERIDIAN_INTERNAL_NETWORKS", networks);
    let proxies = ("MERIDIAN_TRUSTED_PROXIES", "127.0.0.1");
    for networks in [
        "127.0.0.0/8",
        "127.0.0.1",
        "127.0.0.9",
        "::1",
        "0.0.0.0/0",
        "10.1.0.0/16, ::/0",
    ] {
        let refused = production(&[internal(networks)]).unwrap_err();
        assert!(
            refused.contains("MERIDIAN_INTERNAL_NETWORKS") && refused.contains("MERIDIAN_TRUSTED_PROXIES"),
            "{networks}: {refused}"
        );
        let config = production(&[internal(networks), proxies]).unwrap();
        assert!(!config.internal_networks.is_empty());
    }
    // A proxy may stand elsewhere: whoever is reached over https has one.
    assert!(production(&[internal("10.0.0.0/8"), https]).is_err());
    assert!(production(&[internal("10.0.0.0/8"), https, proxies]).is_ok());
    assert!(
        production(&[internal("10.0.0.0/8")]).is_ok(),
        "nobody stands in between"
    );
    assert!(production(&[https]).is_ok());
    assert!(
        parse(&[internal("127.0.0.0/8")]).is_ok(),
        "on a developer's machine everybody is internal anyway"
    );
}

#[test]
fn postgres_and_redis_are_taken_as_usual() {
    let config = parse(&[
        ("DATABASE_URL", "postgresql://me:pw@db/meridian"),
        ("REDIS_URL", "rediss://:pw@cache:6380/1"),
        ("MERIDIAN_REDIS_PREFIX", "m1"),
        ("MERIDIAN_OUTBOUND_ALLOW", "Radicale.internal:5232, [::1]:80"),
        ("MERIDIAN_TRUSTED_PROXIES", "10.0.0.0/8"),
        ("MERIDIAN_TEST_BACKEND", "production"),
        ("MERIDIAN_GRAPHIQL", ""),
    ])
    .unwrap();
    assert_eq!(config.database.url.expose(), "postgres://me:pw@db/meridian");
    assert!(!config.database.auto_migrate);
    assert_eq!(config.redis.unwrap().prefix, "m1");
    assert_eq!(config.outbound_allow, ["radicale.internal:5232", "[::1]:80"]);
    assert!(config.graphiql, "an empty value counts as not set");
}

#[test]
fn a_slip_in_a_name_that_other_programs_know_too_is_a_problem() {
    let url = "postgres://me:hunter2@db/meridian";
    assert_eq!(
        problems(&[("DATABSE_URL", url)]),
        ["DATABSE_URL: there is no such setting. Did you mean DATABASE_URL?"]
    );
    assert_eq!(problems(&[("REDIS_ULR", "x"), ("REDIS_URL", "")]).len(), 1);
    // Where the right one is set, the other one is somebody else's.
    assert!(parse(&[("DATABASE_URI", "x"), ("DATABASE_URL", url)]).is_ok());
    assert!(parse(&[("REDIS_HOST", "x"), ("SENTRY_URL", "x"), ("DATABASE_NAME", "x")]).is_ok());
}

#[test]
fn every_problem_is_reported_at_once() {
    let found = problems(&[
        ("MERIDIAN_LISTEN", "localhost"),
        ("MERIDIAN_ENV", "staging"),
        ("MERIDIAN_PUBLIC_URL", "example.org"),
        ("DATABASE_URL", "mysql://me:hunter2@db"),
        ("REDIS_URL", "hunter2"),
        ("MERIDIAN_SECRET_KEY", "hunter2"),
        ("MERIDIAN_LOG", "a=b=c"),
        ("MERIDIAN_LIMIT_DEPTH", "0"),
        ("MERIDIAN_RATE_SIGN_INS", "many"),
        ("MERIDIAN_OUTBOUND_ALLOW", "ok:1,bad,also:bad"),
        ("MERIDIAN_ALLOWED_ORIGINS", "*"),
        ("MERIDIAN_LISTN", "127.0.0.1:1"),
        ("MERIDIAN_WHATEVER_ELSE", "1"),
    ]);
    assert_eq!(found.len(), 14, "{found:#?}");
    assert!(
        found
            .iter()
            .any(|line| line.contains("Did you mean MERIDIAN_LISTEN?"))
    );
    assert!(
        found
            .iter()
            .any(|line| line
                == "MERIDIAN_LIMIT_DEPTH: `0` cannot be used. Write a whole number from 1 to 100.")
    );
    assert!(
        !found.concat().contains("hunter2"),
        "secrets stay out of messages: {found:#?}"
    );
}

#[test]
fn placeholders_are_not_keys() {
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(problems(&[("MERIDIAN_SECRET_KEY", zeros)]).len(), 1);
    assert_eq!(
        parse(&[("MERIDIAN_SECRET_KEY", &format!("{KEY}, {KEY}"))])
            .unwrap()
            .secret_keys()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn secrets_are_masked_for_people() {
    let values = [
        ("DATABASE_URL", "postgres://me:hunter2@db/x"),
        ("MERIDIAN_SECRET_KEY", KEY),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let values = values.into();
    let shown = format!("{:?}{:?}", effective(&values), Config::parse(&values).unwrap());
    assert!(shown.contains("postgres://db/x"));
    assert!(!shown.contains("hunter2") && !shown.contains(KEY));
}

#[test]
fn every_name_is_unique_and_explained() {
    let mut names: Vec<_> = table::all().map(|setting| setting.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(table::all().all(|setting| setting.help.trim().ends_with(|c: char| c != ' ')));
}

#[test]
fn the_example_file_is_complete() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
    let expected = env_example();
    let found = std::fs::read_to_string(path).unwrap_or_default();
    if found != expected {
        // Writing it here makes the next run pass; this run fails so that the change is seen and committed.
        std::fs::write(path, expected).unwrap();
        panic!(".env.example was stale and has been rewritten; commit it");
    }
}
