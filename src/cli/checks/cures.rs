//! What to do about a failure: a table from what a check says to the step that helps. Codes of PostgreSQL are in parentheses at the end of
//! what it says, so that its language does not matter.

/// One line of the table: a check, words of which one is in its failure, and the cure. The last line of a check has no words.
struct Cure {
    check: &'static str,
    signs: &'static [&'static str],
    cure: &'static str,
}

const fn line(check: &'static str, signs: &'static [&'static str], cure: &'static str) -> Cure {
    Cure { check, signs, cure }
}

const CURES: &[Cure] = &[
    line(
        "data directory",
        &["permission denied", "read-only"],
        "Give the user that runs Meridian the folder (`chown`), or name another one in MERIDIAN_DATA_DIR.",
    ),
    line(
        "data directory",
        &["no space"],
        "The disk is full: make room, or move the folder and name it in MERIDIAN_DATA_DIR.",
    ),
    line(
        "data directory",
        &[],
        "MERIDIAN_DATA_DIR must be a folder that can be written; here is none and none can be made.",
    ),
    line(
        "secret key",
        &["does not hold a key"],
        "Put the key of the last backup back into that file. Without any, delete it: a new one is made, and calendars have to be connected again.",
    ),
    line(
        "secret key",
        &[],
        "The file with the key must be readable for the user that runs Meridian; or set MERIDIAN_SECRET_KEY.",
    ),
    line(
        "database",
        &["(28p01)", "(28000)"],
        "The server does not accept this login. Check user and password in DATABASE_URL; special characters of the password are \
         percent-encoded (`@` is `%40`). `ALTER ROLE … PASSWORD '…'` sets a new one.",
    ),
    line(
        "database",
        &["(3d000)"],
        "The database does not exist. As a superuser: `CREATE DATABASE meridian OWNER meridian;`, or correct its name in DATABASE_URL.",
    ),
    line(
        "database",
        &["(53300)"],
        "PostgreSQL has no connection left. Lower MERIDIAN_DB_MAX_CONNECTIONS of each process, or raise `max_connections` there.",
    ),
    line(
        "database",
        &["(57p03)"],
        "PostgreSQL is starting or stopping. Try again in a moment.",
    ),
    line(
        "database",
        &["too old"],
        "Use PostgreSQL 15 or newer; `pg_upgrade` or `meridian backup` and `meridian restore` move the data.",
    ),
    line(
        "database",
        &["connection refused", "timed out", "pool timed out"],
        "Nobody listens there. Start PostgreSQL, check host and port in DATABASE_URL, and `listen_addresses` and the firewall on its side.",
    ),
    line(
        "database",
        &["lookup", "resolve", "name or service", "not known"],
        "The name of the host in DATABASE_URL cannot be found. Check its spelling and the name servers of this machine.",
    ),
    line(
        "database",
        &["tls", "certificate", "ssl"],
        "Server and DATABASE_URL do not agree about TLS: `?sslmode=require` asks for it, `?sslmode=disable` does without.",
    ),
    line(
        "database",
        &["unable to open database file", "(code: 14)", "(14)"],
        "The file of DATABASE_URL cannot be made or opened: its folder must exist and be writable for the user that runs Meridian.",
    ),
    line(
        "database",
        &["not a database", "malformed", "(26)", "(11)"],
        "The file is damaged or no SQLite database. Move it away and restore the last backup: `meridian restore FILE`.",
    ),
    line(
        "database",
        &["locked", "(5)"],
        "Another process holds the file. Only one `meridian serve` uses an SQLite file; stop the other one.",
    ),
    line(
        "database",
        &[],
        "Check DATABASE_URL; `psql \"$DATABASE_URL\" -c 'SELECT 1'` shows the same failure without Meridian.",
    ),
    line(
        "migrations",
        &["pending"],
        "Run `meridian migrate up`, after a backup; or set MERIDIAN_AUTO_MIGRATE=true to let the server do it when it starts.",
    ),
    line(
        "migrations",
        &["applied to the database but missing", "missing"],
        "The database is of a newer version than this program. Use that program, or restore a backup from before.",
    ),
    line(
        "migrations",
        &["(42501)"],
        "The login may not read the list of migrations: it must own the tables. As a superuser: `ALTER DATABASE meridian OWNER TO …;`.",
    ),
    line(
        "migrations",
        &[],
        "Run `meridian migrate status` for the list, and `meridian migrate up`.",
    ),
    line(
        "roles",
        &[],
        "As a superuser: `GRANT meridian_app, meridian_system TO` the login of DATABASE_URL. Without these roles: `meridian migrate up` makes \
         them when the login has CREATEROLE, otherwise `CREATE ROLE meridian_app NOLOGIN; CREATE ROLE meridian_system NOLOGIN;` first.",
    ),
    line(
        "sealed values",
        &["there is no key"],
        "Another key sealed them. Write it behind the first one in MERIDIAN_SECRET_KEY, after a comma, and run `meridian keys rotate`. Without \
         it these calendars have to be connected and published again.",
    ),
    line(
        "sealed values",
        &[],
        "What is sealed cannot be read from the database. `meridian migrate status` and the log of the database say more.",
    ),
    line(
        "redis",
        &["wrongpass", "noauth", "auth"],
        "Redis wants another password: write it into REDIS_URL, `redis://:password@host:6379`, percent-encoded.",
    ),
    line(
        "redis",
        &["noperm"],
        "The user of REDIS_URL may not do this. It needs the commands and the keys that begin with MERIDIAN_REDIS_PREFIX.",
    ),
    line(
        "redis",
        &["readonly"],
        "This is a replica of Redis, which cannot be written. Name the primary in REDIS_URL.",
    ),
    line(
        "redis",
        &["tls", "certificate", "handshake"],
        "Redis and REDIS_URL do not agree about TLS: `rediss://` uses it, `redis://` does not.",
    ),
    line(
        "redis",
        &["no connection within", "timed out", "timeout"],
        "Something listens there but does not speak Redis as REDIS_URL says: `rediss://` is for TLS, `redis://` for without. Or a firewall is silent.",
    ),
    line(
        "redis",
        &[],
        "Nobody answers there. Start Redis and check REDIS_URL; `redis-cli -u \"$REDIS_URL\" ping` shows the same without Meridian.",
    ),
    line(
        "listener",
        &["in use"],
        "Another program has the port. Stop it (`ss -ltnp` names it), or set MERIDIAN_LISTEN to another one.",
    ),
    line(
        "listener",
        &["permission denied"],
        "Ports below 1024 need a privilege: listen on 8000 behind a proxy, or give the service CAP_NET_BIND_SERVICE.",
    ),
    line(
        "listener",
        &[],
        "MERIDIAN_LISTEN must be an address of this machine; 0.0.0.0 is all of them.",
    ),
    line(
        "operators",
        &["in use"],
        "Another program has the port. Set MERIDIAN_ADMIN_LISTEN to another one, for each process its own, or to `off`.",
    ),
    line(
        "operators",
        &[],
        "MERIDIAN_ADMIN_LISTEN must be a private address of this machine, or `off`.",
    ),
    line(
        "mail",
        &["(535)", "(534)", "(530)"],
        "The mail server does not accept this login. Check user and password in MERIDIAN_SMTP_URL, percent-encoded; many services want an app password.",
    ),
    line(
        "mail",
        &["secure connection"],
        "The mail server does not offer TLS as MERIDIAN_SMTP_URL wants it: `smtps://` is TLS from the start (465), `smtp://` is STARTTLS (587).",
    ),
    line(
        "mail",
        &["refused"],
        "The mail server refuses this machine; its log says why. Some need the address of the machine on a list.",
    ),
    line(
        "mail",
        &[],
        "Nobody answers there. Check host and port of MERIDIAN_SMTP_URL; many networks block port 25.",
    ),
    line(
        "sign-in",
        &["another issuer"],
        "Write the issuer into MERIDIAN_OIDC_<NAME>_ISSUER exactly as it calls itself, with or without a slash at the end.",
    ),
    line(
        "sign-in",
        &["not public", "allowed"],
        "A provider on a private address must be in MERIDIAN_OUTBOUND_ALLOW, as host:port.",
    ),
    line(
        "sign-in",
        &["discovery document"],
        "There is no OpenID Connect provider at MERIDIAN_OIDC_<NAME>_ISSUER: the address in front of `/.well-known/openid-configuration` is wanted.",
    ),
    line(
        "sign-in",
        &[],
        "The provider does not answer. Check MERIDIAN_OIDC_<NAME>_ISSUER and whether this machine may reach it.",
    ),
    line(
        "sentry",
        &[],
        "Check the host of SENTRY_DSN and whether this machine may reach it; without SENTRY_DSN nothing is reported.",
    ),
    line(
        "documents",
        &[],
        "MERIDIAN_PERSISTED_DOCUMENTS must name a JSON object from name to document, as GraphQL Code Generator writes it.",
    ),
    line(
        "open files",
        &[],
        "Raise the limit: `ulimit -n 65536` in the shell, `LimitNOFILE=65536` in a systemd unit.",
    ),
];

/// What helps against a failure of a check.
pub(crate) fn cure(check: &str, why: &str) -> &'static str {
    let why = why.to_lowercase();
    let helps = |line: &&Cure| {
        line.check == check && (line.signs.is_empty() || line.signs.iter().any(|sign| why.contains(sign)))
    };
    let found = CURES.iter().find(helps);
    found.map_or("Look at the log of the server.", |line| line.cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_ends_with_a_cure_for_everything_else() {
        for (index, line) in CURES.iter().enumerate() {
            let is_last = CURES[index + 1..].iter().all(|next| next.check != line.check);
            assert_eq!(is_last, line.signs.is_empty(), "{} {:?}", line.check, line.signs);
            assert!(
                line.signs.iter().all(|sign| *sign == sign.to_lowercase()),
                "{:?}",
                line.signs
            );
        }
    }

    #[test]
    fn codes_decide_in_whatever_language_the_server_speaks() {
        let cured = cure(
            "database",
            "Passwort-Authentifizierung für Benutzer »meridian« fehlgeschlagen (28P01)",
        );
        assert!(cured.contains("%40"), "{cured}");
        assert!(cure("database", "something new").contains("psql"));
    }
}
