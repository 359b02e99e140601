//! Numbers, as a monitor reads them.

use super::*;

fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn operations_are_told_apart_by_name_up_to_a_bound() {
    let metrics = Metrics::new().unwrap();
    let moment = Duration::from_millis(3);
    for number in 0..1_000 {
        metrics.operation(false, Some(&format!("Made{number}")), true, true, moment);
    }
    metrics.operation(true, None, false, false, moment);
    metrics.operation(false, Some("Stranger"), false, true, moment);
    metrics.operation(false, Some("Made7"), false, true, moment);
    let text = metrics.render();
    let counts = lines(&text, "meridian_operation_seconds_count");
    assert!(counts.len() <= 203, "{} series", counts.len());
    assert!(
        text.contains(r#"operation="(unnamed)",kind="mutation",outcome="failed"} 1"#),
        "{text}"
    );
    assert!(text.contains(r#"operation="(other)",kind="query",outcome="ok"}"#));
    assert!(text.contains(r#"operation="Made7",kind="query",outcome="ok"} 2"#));
    assert!(!text.contains("Stranger"));
}

#[test]
fn what_is_open_counts_until_it_closes() {
    let metrics = Metrics::new().unwrap();
    let (one, two) = (metrics.socket(), metrics.socket());
    assert_eq!(
        lines(&metrics.render(), "meridian_sockets "),
        ["meridian_sockets 2"]
    );
    drop((one, two));
    assert_eq!(
        lines(&metrics.render(), "meridian_sockets "),
        ["meridian_sockets 0"]
    );
}

#[test]
fn names_are_unique_and_every_error_code_has_its_own_counter() {
    let mut names: Vec<&str> = table::ALL.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), table::ALL.len());
    let metrics = Metrics::new().unwrap();
    metrics.error(ErrorCode::Internal);
    metrics.http("/graphql", 503, Duration::from_micros(10));
    metrics.job("send_mail", "succeeded", Duration::from_secs(2));
    metrics.change_lag(Duration::from_millis(1));
    metrics.count(&table::REDIS_FAILURES, &[], 3);
    metrics.set(&table::JOBS, &["email", "dead"], 4.0);
    metrics.upkeep();
    let text = metrics.render();
    for expected in [
        r#"meridian_errors_total{code="INTERNAL"} 1"#,
        r#"meridian_http_request_seconds_bucket{route="/graphql",status="5xx",le="0.001"} 1"#,
        r#"meridian_job_seconds_bucket{kind="send_mail",outcome="succeeded",le="2.5"} 1"#,
        "meridian_change_lag_seconds_count 1",
        "meridian_redis_failures_total 3",
        r#"meridian_jobs{queue="email",state="dead"} 4"#,
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert_eq!(lines(&text, "meridian_errors_total{").len(), ErrorCode::ALL.len());
}
