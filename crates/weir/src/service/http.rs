//! Health and metrics on a port of their own: `/healthz`, `/readyz`, `/metrics`.
//!
//! For machines inside the bank's network. Nothing served here names a party.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use weir_kafka::Metrics;

use crate::failure::Failure;
use crate::language::{Lang, plural, say};

/// Whether the service takes part.
#[derive(Debug, Default)]
pub(crate) struct Health {
    is_ready: AtomicBool,
}

impl Health {
    /// Workers have been started; whether they are at work they say themselves.
    pub(crate) fn ready(&self) {
        self.is_ready.store(true, Ordering::Relaxed);
    }

    /// Workers end.
    pub(crate) fn stopping(&self) {
        self.is_ready.store(false, Ordering::Relaxed);
    }
}

/// Serves until the process ends.
pub(crate) fn serve(listen: &str, metrics: Metrics, health: Arc<Health>, lang: Lang) -> Result<(), Failure> {
    let failure = |error: &std::io::Error| {
        Failure::usage(say!(lang, "无法监听 http.listen {listen}：{error}", "cannot listen on http.listen {listen}: {error}"))
    };
    let listener = TcpListener::bind(listen).map_err(|error| failure(&error))?;
    listener.set_nonblocking(true).map_err(|error| failure(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failure(&error))?;
    let state = metrics.clone();
    let readiness = move || {
        let is_ready = health.is_ready.load(Ordering::Relaxed);
        let (stopped, obstacle) = (state.stopped(), state.obstacle());
        async move {
            match (is_ready, stopped, obstacle) {
                (false, ..) => (StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n".to_owned()),
                (true, 0, None) => (StatusCode::OK, "ready\n".to_owned()),
                (true, 0, Some(obstacle)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n")),
                (true, stopped, _) => {
                    let are = plural(stopped, "partition is", "partitions are");
                    (StatusCode::SERVICE_UNAVAILABLE, format!("{stopped} {are} stopped; see weir_stopped\n"))
                }
            }
        }
    };
    let text = move || {
        let text = metrics.text();
        async move { ([("content-type", "text/plain; version=0.0.4")], text) }
    };
    let router = Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readiness)).route("/metrics", get(text));
    let serving = move || {
        runtime.block_on(async {
            let served = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => axum::serve(listener, router).await,
                Err(error) => Err(error),
            };
            if let Err(error) = served {
                tracing::error!(%error, "health and metrics are served no more");
            }
        });
    };
    thread::Builder::new().name("http".to_owned()).spawn(serving).map_err(|error| failure(&error))?;
    Ok(())
}
