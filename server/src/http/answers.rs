//! The small answers: ICE servers, what this server offers, health, metrics.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, HOST},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Site, admin};
use crate::{clock, metrics};

/// `GET /api/ice-servers`.
pub(super) async fn ice_servers(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let servers = site.ice.list(host(&headers), clock::now());
    Json(json!({ "iceServers": servers, "ttl": site.ice.life().as_secs() })).into_response()
}

/// `GET /api/info`.
pub(super) async fn info(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "limits": site.limits,
        "turn": site.ice.offers(),
        "stun": site.ice.stun_addresses(host(&headers)),
    }))
    .into_response()
}

/// `GET /healthz`.
pub(super) async fn healthz(State(site): State<Arc<Site>>) -> Response {
    if site.hub.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
    } else {
        "ok\n".into_response()
    }
}

/// `GET /metrics`; with `?rooms`, and the operator's token, of each room that is forwarded in, too.
pub(super) async fn metrics(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let wants_rooms =
        query.is_some_and(|query| query.split('&').any(|one| one == "rooms" || one == "rooms=1"));
    if wants_rooms && let Err(refusal) = admin::may(&site, &headers) {
        return *refusal;
    }
    let Some(signaling) = site.hub.counters().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.\n").into_response();
    };
    let relay = match &site.relay {
        Some(relay) => relay.reports().await,
        None => Vec::new(),
    };
    let media = match &site.media {
        Some(media) => media.reports().await,
        None => Vec::new(),
    };
    let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let rooms = match &site.media {
        Some(media) if wants_rooms => media.describe().await,
        _ => Vec::new(),
    };
    let page = metrics::render(&signaling, &relay, &media);
    ([kind], metrics::with_rooms(page, wants_rooms, &rooms)).into_response()
}

/// `POST /debug/media-panic`, in debug builds only: the media workers fail, or the one that the path names.
#[cfg(debug_assertions)]
pub(super) async fn media_panic(
    State(site): State<Arc<Site>>,
    worker: Option<axum::extract::Path<usize>>,
) -> StatusCode {
    if let Some(media) = &site.media {
        media.panic(worker.map(|worker| worker.0)).await;
    }
    StatusCode::NO_CONTENT
}

/// The `Host` that the request came to.
pub(super) fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}
