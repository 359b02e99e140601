//! What may leave the house in a report. Everything that is sent is made anew here from the few parts that are listed, so that what a library
//! adds one day stays inside. Promises: no text that a person or a provider wrote, no address and no secret gets out: ids, names of code and
//! times only.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sentry::protocol::{
    Context, EnvelopeItem, Event, Exception, Frame, Mechanism, Span, Stacktrace, TraceContext, Transaction,
    User,
};
use sentry::{Breadcrumb, Envelope};
use uuid::Uuid;

/// Tags that are sent, when their value is a short word.
const TAGS: [&str; 7] = [
    "request_id",
    "operation",
    "workspace",
    "job",
    "kind",
    "attempt",
    "code",
];
const LONGEST_WORD: usize = 64;
/// Where the tracing layer says which line of ours spoke.
const LOCATION: &str = "Rust Tracing Location";

/// The envelope with only what may leave; `None` when nothing of it may.
pub(super) fn rebuilt(envelope: Envelope) -> Option<Envelope> {
    let mut allowed = Envelope::new();
    let mut is_empty = true;
    for item in envelope.into_items() {
        match item {
            EnvelopeItem::Event(found) => allowed.add_item(event(*found)),
            EnvelopeItem::Transaction(found) => allowed.add_item(transaction(*found)),
            // Logs, sessions, attachments and whatever comes to exist.
            _ => continue,
        }
        is_empty = false;
    }
    (!is_empty).then_some(allowed)
}

fn event(found: Event<'static>) -> Event<'static> {
    // The words of a message may be anybody's; the line that wrote them is ours, and says as much.
    let place = place(&found.contexts);
    let fingerprint: Vec<Cow<'static, str>> = match &place {
        Some(place) => vec![place.clone().into()],
        None => vec!["{{ default }}".into()],
    };
    Event {
        event_id: found.event_id,
        level: found.level,
        timestamp: found.timestamp,
        release: found.release,
        environment: found.environment,
        message: place,
        fingerprint: fingerprint.into(),
        user: found.user.and_then(user),
        tags: tags(found.tags),
        contexts: trace(found.contexts),
        exception: found
            .exception
            .into_iter()
            .map(exception)
            .collect::<Vec<_>>()
            .into(),
        breadcrumbs: found
            .breadcrumbs
            .into_iter()
            .map(breadcrumb)
            .collect::<Vec<_>>()
            .into(),
        ..Event::default()
    }
}

fn transaction(found: Transaction<'static>) -> Transaction<'static> {
    Transaction {
        event_id: found.event_id,
        name: found.name.filter(|name| is_word(name)),
        release: found.release,
        environment: found.environment,
        user: found.user.and_then(user),
        tags: tags(found.tags),
        start_timestamp: found.start_timestamp,
        timestamp: found.timestamp,
        contexts: trace(found.contexts),
        spans: found.spans.into_iter().map(span).collect(),
        ..Transaction::default()
    }
}

/// `meridian::graphql::errors:61`.
fn place(contexts: &BTreeMap<String, Context>) -> Option<String> {
    let Some(Context::Other(location)) = contexts.get(LOCATION) else {
        return None;
    };
    let module = location.get("module_path")?.as_str()?;
    let line = location.get("line").map(ToString::to_string);
    let place = format!("{module}:{}", line.unwrap_or_default());
    place.chars().all(is_harmless).then_some(place)
}

/// Our ids say nothing to anybody else.
fn user(found: User) -> Option<User> {
    let id = found.id.filter(|id| Uuid::parse_str(id).is_ok())?;
    Some(User {
        id: Some(id),
        ..User::default()
    })
}

fn tags(found: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let allowed = |(name, value): &(String, String)| TAGS.contains(&name.as_str()) && is_word(value);
    found.into_iter().filter(allowed).collect()
}

fn trace(contexts: BTreeMap<String, Context>) -> BTreeMap<String, Context> {
    let traces = contexts.into_values().filter_map(|context| match context {
        Context::Trace(trace) => Some(TraceContext {
            span_id: trace.span_id,
            trace_id: trace.trace_id,
            parent_span_id: trace.parent_span_id,
            op: trace.op.filter(|op| is_word(op)),
            status: trace.status,
            ..TraceContext::default()
        }),
        _ => None,
    });
    traces
        .map(|trace| ("trace".to_owned(), Context::from(trace)))
        .collect()
}

/// The value of an exception is the text of an error, and its type is cut out of that text.
fn exception(found: Exception) -> Exception {
    let is_panic = found.ty == "panic";
    Exception {
        ty: if is_panic { "panic" } else { "error" }.into(),
        stacktrace: found.stacktrace.map(stacktrace),
        mechanism: found.mechanism.map(|mechanism| Mechanism {
            ty: if is_panic { "panic" } else { "generic" }.into(),
            handled: mechanism.handled,
            ..Mechanism::default()
        }),
        ..Exception::default()
    }
}

fn stacktrace(found: Stacktrace) -> Stacktrace {
    let frame = |frame: Frame| Frame {
        function: frame.function,
        module: frame.module,
        lineno: frame.lineno,
        in_app: frame.in_app,
        ..Frame::default()
    };
    Stacktrace {
        frames: found.frames.into_iter().map(frame).collect(),
        ..Stacktrace::default()
    }
}

fn breadcrumb(found: Breadcrumb) -> Breadcrumb {
    Breadcrumb {
        timestamp: found.timestamp,
        ty: "default".into(),
        category: found.category.filter(|category| is_word(category)),
        level: found.level,
        ..Breadcrumb::default()
    }
}

fn span(found: Span) -> Span {
    Span {
        span_id: found.span_id,
        trace_id: found.trace_id,
        parent_span_id: found.parent_span_id,
        op: found.op.filter(|op| is_word(op)),
        start_timestamp: found.start_timestamp,
        timestamp: found.timestamp,
        status: found.status,
        ..Span::default()
    }
}

fn is_harmless(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_WORD && text.chars().all(is_harmless)
}
