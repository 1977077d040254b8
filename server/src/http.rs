//! Everything that HTTP carries: the web app, the signaling WebSocket, and the few small answers beside
//! them (`docs/signaling.md`, *HTTP beside it*).

mod actor;
mod admin;
mod answers;
mod headers;
mod origin;
mod pages;
mod token;
mod web_app;
mod websocket;
mod whip;

use std::{sync::Arc, time::Instant};

use axum::{Router, middleware, routing::get};

pub(crate) use actor::{HubHandle, Workers, start_hub};
pub(crate) use origin::AllowedOrigins;
pub(crate) use web_app::WebApp;

use crate::{
    ice_servers::IceServerIssuer,
    media::{self, Role},
    relay,
    signaling::Limits,
};

/// What the handlers share.
pub(crate) struct Site {
    pub(crate) hub: HubHandle,
    pub(crate) relay: Option<Arc<relay::Handle>>,
    pub(crate) media: Option<Arc<media::Handle>>,
    /// What programs must show to stream, and to watch.
    /// What whoever runs the server must show; none: nobody may.
    pub(crate) admin_token: Option<String>,
    pub(crate) started: Instant,
    pub(crate) publish_token: Option<String>,
    pub(crate) watch_token: Option<String>,
    pub(crate) web_app: WebApp,
    pub(crate) origins: AllowedOrigins,
    pub(crate) ice: IceServerIssuer,
    pub(crate) limits: Limits,
}

/// The whole site. `Site` lives as long as the router.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let pages = pages::router();
    let api = Router::new()
        .route("/api/ice-servers", get(answers::ice_servers))
        .route("/api/info", get(answers::info))
        .route("/healthz", get(answers::healthz))
        .route("/metrics", get(answers::metrics))
        .route("/api/admin", get(admin::report))
        .route("/api/signaling", get(websocket::upgrade))
        .route_layer(middleware::from_fn(headers::of_api));
    #[cfg(debug_assertions)]
    let api = api
        .route("/debug/media-panic", axum::routing::post(answers::media_panic))
        .route("/debug/media-panic/{worker}", axum::routing::post(answers::media_panic));
    let streams = Router::new()
        .route("/whip/{room}", whip::endpoint(Role::Publisher))
        .route("/whip/{room}/{id}", whip::session(Role::Publisher))
        .route("/whep/{room}", whip::endpoint(Role::Viewer))
        .route("/whep/{room}/{id}", whip::session(Role::Viewer));
    Router::new()
        .merge(pages)
        .merge(api)
        .merge(streams)
        .fallback(get(pages::asset))
        .layer(middleware::from_fn(headers::of_everything))
        .with_state(site)
}
