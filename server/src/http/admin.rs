//! `GET /api/admin`: what the server does just now, for whoever has its token (`docs/admin.md`).

use std::collections::HashMap;
use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Site, token};
use crate::{conference::Member, media, signaling::PeerId};

/// Whoever has the operator's token.
pub(super) fn may(site: &Site, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let Some(wanted) = &site.admin_token else {
        let why = "This server was started with --admin-token off.\n";
        return Err(Box::new((StatusCode::NOT_FOUND, why).into_response()));
    };
    if token::is_shown(headers, wanted) {
        return Ok(());
    }
    let why = "Send the header `Authorization: Bearer TOKEN`: the server prints it when it starts.\n";
    let mut response = (StatusCode::UNAUTHORIZED, why).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Err(Box::new(response))
}

pub(super) async fn report(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = may(&site, &headers) {
        return *refusal;
    }
    let (Some(signaling), Some(names)) = (site.hub.counters().await, site.hub.names().await) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.\n").into_response();
    };
    let relay = match &site.relay {
        Some(relay) => Some(relay.reports().await),
        None => None,
    };
    let relay = relay.map(|workers| {
        let sum = |part: fn(&crate::relay::Report) -> u64| workers.iter().map(part).sum::<u64>();
        json!({
            "allocations": sum(|worker| worker.allocations as u64),
            "relayed_bytes": sum(|worker| worker.counters.to_peers.bytes + worker.counters.to_clients.bytes),
        })
    });
    let (workers, rooms) = match &site.media {
        Some(media) => (media.reports().await, media.describe().await),
        None => (Vec::new(), Vec::new()),
    };
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime": site.started.elapsed().as_secs_f64(),
        "signaling": {
            "connections": signaling.connections,
            "sessions": signaling.sessions,
            "rooms": signaling.rooms,
            "waiting": signaling.waiting,
        },
        "relay": relay,
        "workers": workers.iter().map(worker).collect::<Vec<_>>(),
        "rooms": named(&rooms, &names),
    });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn worker(report: &media::Report) -> Value {
    json!({
        "cpu": report.cpu.as_secs_f64(),
        "connections": report.connections,
        "rooms": report.rooms,
        "received_datagrams": report.received_datagrams,
        "sent_datagrams": report.sent_datagrams,
        "forwarded": report.forwarded,
        "restarts": report.restarts,
    })
}

/// Puts people's names in the place of their numbers.
fn named(rooms: &[media::RoomState], names: &HashMap<PeerId, String>) -> Value {
    let mut rooms = json!(rooms);
    let name = |member: &Value| {
        let member = serde_json::from_value::<Member>(member.clone()).ok()?;
        names.get(&PeerId(member.0)).cloned()
    };
    for room in rooms.as_array_mut().into_iter().flatten() {
        for list in ["people", "tracks"] {
            for one in room[list].as_array_mut().into_iter().flatten() {
                one["peer"] = name(&one["peer"]).into();
            }
        }
    }
    rooms
}
