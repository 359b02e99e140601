//! What mail promises, without a server; the conversation with one is in the integration tests.

use super::*;

fn mail() -> Mail {
    Mail {
        to: "ann@example.org".into(),
        name: Some("Ann \"A\" Lee, the first".into()),
        subject: "Grüße".into(),
        text: "One.\nTwo.".into(),
        html: "<p>One.</p>".into(),
        calendar: None,
        unsubscribe: None,
        key: "job_1".into(),
        at: "2026-03-02T09:00:00Z".parse().unwrap(),
    }
}

fn formatted(mail: Mail) -> String {
    let from = "Meridian <meridian@example.org>".parse().unwrap();
    String::from_utf8(mail.build(from).unwrap().formatted()).unwrap()
}

#[test]
fn a_message_has_typed_headers_and_two_forms() {
    let text = formatted(mail());
    for line in [
        "From: Meridian <meridian@example.org>\r\n",
        // Quotes and commas in a name do not make two of one address.
        "To: =?utf-8?b?QW5uICJBIiBMZWUsIHRoZSBmaXJzdA==?= <ann@example.org>\r\n",
        "Message-ID: <job_1@example.org>\r\n",
        "Date: Mon, 02 Mar 2026 09:00:00 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("Subject: =?utf-8?b?"), "{text}");
}

#[test]
fn nobody_breaks_out_of_a_header() {
    let from: Mailbox = "meridian@example.org".parse().unwrap();
    let broken: [fn(&mut Mail); 6] = [
        |mail| mail.unsubscribe = Some("no address\r\nBcc: evil@example.org".into()),
        |mail| mail.subject = "x\r\nBcc: evil@example.org".into(),
        |mail| mail.name = Some("x\nBcc: evil@example.org".into()),
        |mail| mail.to = "ann@example.org\r\nBcc: evil@example.org".into(),
        |mail| mail.to = "ann".into(),
        |mail| mail.subject = "nul\0".into(),
    ];
    for change in broken {
        let mut mail = mail();
        change(&mut mail);
        assert!(matches!(mail.build(from.clone()), Err(MailError::Never(_))));
    }
}

#[test]
fn only_a_server_on_this_machine_is_spoken_to_openly() {
    let shown = |url: &str| Smtp::new(url).is_ok();
    assert!(shown("smtp://127.0.0.1:2525") && shown("smtp://[::1]:2525") && shown("smtp://localhost"));
    assert!(shown("smtps://user:p%40ss@mail.example.org") && shown("smtp://mail.example.org"));
    assert!(!shown("nonsense"));
}

#[test]
fn a_calendar_part_says_its_method_and_is_a_file_too() {
    let text = formatted(Mail {
        calendar: Some(Calendar {
            method: Method::Cancel,
            text: "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n".into(),
        }),
        ..mail()
    });
    for line in [
        "Content-Type: multipart/mixed;",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/calendar; charset=utf-8; method=CANCEL\r\n",
        "Content-Type: application/ics\r\n",
        "Content-Disposition: attachment; filename=\"invite.ics\"\r\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(text.matches("METHOD:CANCEL\r\n").count(), 2);
}

#[test]
fn one_click_unsubscribes() {
    let link = format!(
        "https://meridian.example.org/mail/unsubscribe?token={}",
        "x".repeat(200)
    );
    let text = formatted(Mail {
        unsubscribe: Some(format!("{link}\r\nBcc: evil@example.org")),
        ..mail()
    });
    assert!(!text.contains("\r\nBcc"), "{text}");
    let text = formatted(Mail {
        unsubscribe: Some(link.clone()),
        ..mail()
    });
    assert!(
        text.contains(&format!("List-Unsubscribe: <{link}>\r\n")),
        "{text}"
    );
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
}
