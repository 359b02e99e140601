//! Traces to an OpenTelemetry collector, by OTLP over HTTP. Promises: spans only, and only ours; what the log says in words, which may be
//! people's, stays here.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::reports::is_ours;
use crate::config::Traces;
use crate::kernel::{Error, Result, VERSION};
use crate::platform::http::{HttpClient, HttpRequest, OutboundAllow};

/// Time that what is still to be sent gets at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Sends spans until it is dropped.
pub(super) struct Guard(SdkTracerProvider);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Starts sending.
pub(super) fn start(settings: &Traces) -> Result<Guard> {
    let (url, port) = (&settings.url, settings.url.port_or_known_default());
    // The operator named this address: it may be private.
    let place = format!("{}:{}", url.host_str().unwrap_or_default(), port.unwrap_or(4318));
    let http =
        HttpClient::new(OutboundAllow::new([place])).map_err(|error| Error::internal(error.to_string()))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Door {
            http,
            runtime: Handle::current(),
        })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url.as_str())
        .build()
        .map_err(|error| Error::internal(error.to_string()))?;
    let program = Resource::builder_empty()
        .with_service_name("meridian")
        .with_attribute(KeyValue::new("service.version", VERSION));
    Ok(Guard(
        SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                settings.share,
            ))))
            .with_resource(program.build())
            .build(),
    ))
}

/// What turns our spans into traces.
pub(super) fn layer<S>(guard: &Guard) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer::<S>()
        .with_tracer(guard.0.tracer("meridian"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_ours))
}

/// The way out. The thread that sends has no runtime, so calls are carried over to ours.
#[derive(Debug)]
struct Door {
    http: HttpClient,
    runtime: Handle,
}

#[async_trait]
impl opentelemetry_http::HttpClient for Door {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> std::result::Result<http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())?;
        let mut call = HttpRequest::new(parts.method, url).body(body).without_redirects();
        call.headers = parts.headers;
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move { http.send(call).await }).await?;
        // The library says nothing about it.
        let answer = sent.inspect_err(|error| tracing::warn!(%error, "traces could not be sent"))?;
        if !answer.status.is_success() {
            tracing::warn!(status = answer.status.as_u16(), "traces were refused");
        }
        let mut reply = http::Response::new(answer.body);
        *reply.status_mut() = answer.status;
        if let Some(wait) = answer.headers.get(RETRY_AFTER) {
            reply.headers_mut().insert(RETRY_AFTER, wait.clone());
        }
        Ok(reply)
    }
}
