//! What comes after the setup, as commands to copy.

use dialoguer::console::style;

use crate::config::Config;

/// Prints the steps that fit these settings.
pub(super) fn print(config: &Config) {
    let url = config.public_url.as_str().trim_end_matches('/');
    let mut number = 0;
    let mut step = |what: &str, command: &str| {
        number += 1;
        println!("  {number}. {what}");
        for line in command.lines() {
            println!("       {}", style(line).cyan());
        }
    };
    if config.env.is_development() {
        step(
            "Start it, with two people to try it with; their tokens are printed",
            "meridian serve --demo",
        );
        step("Open the playground", &format!("{url}/graphiql"));
        step(
            "See every service at work",
            &format!("curl {url}/api/test-infrastructure"),
        );
        return;
    }
    match &config.redis {
        None => step("Start it", "meridian serve"),
        Some(_) => step(
            "Start as many as you like, with this .env; units for systemd are in operations/systemd",
            "meridian api\nmeridian worker",
        ),
    }
    step("See whether it is well", &format!("curl {url}/api/health"));
    if config.public_url.scheme() != "https" {
        step(
            "Put a proxy with TLS in front (operations/proxy), and name its address",
            "MERIDIAN_PUBLIC_URL=https://…",
        );
    }
    for issuer in &config.sign_in.issuers {
        step(
            &format!("Register this redirect URI at {}", issuer.name),
            &format!("{url}/auth/callback"),
        );
    }
    if config.sign_in.issuers.is_empty() && config.mail.smtp_url.is_none() {
        step(
            "Nobody can sign in yet: set a provider or a mail server",
            "meridian setup",
        );
    }
    step(
        "Let somebody who has signed in look after the installation",
        "meridian admin promote --email …",
    );
    step(
        "Make backups, and keep MERIDIAN_SECRET_KEY somewhere else than these",
        "meridian backup meridian-backup.gz",
    );
}
