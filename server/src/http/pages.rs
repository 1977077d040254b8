//! Which address opens which page.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Site;

/// Addresses and the page at them. What stands behind `{name}` is the page's business.
const PAGES: [(&str, &str); 11] = [
    ("/", "index.html"),
    ("/r/{name}", "call.html"),
    ("/random", "random.html"),
    ("/random/{name}", "random.html"),
    ("/live", "live.html"),
    ("/live/{name}", "live.html"),
    ("/send", "send.html"),
    ("/send/{name}", "send.html"),
    ("/check", "check.html"),
    ("/admin", "admin.html"),
    ("/404", "404.html"),
];

pub(super) fn router() -> Router<Arc<Site>> {
    PAGES.iter().fold(Router::new(), |router, (address, file)| {
        let page =
            async |State(site): State<Arc<Site>>, headers: HeaderMap| page(&site, file, &headers).await;
        router.route(address, get(page))
    })
}

/// Any other address: a file of the web app, or nothing.
pub(super) async fn asset(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    match site.web_app.file(path, request.headers()).await {
        Some(response) => response,
        None => not_found(&site).await,
    }
}

async fn page(site: &Site, file: &str, headers: &HeaderMap) -> Response {
    match site.web_app.file(file, headers).await {
        Some(response) => response,
        None => not_found(site).await,
    }
}

async fn not_found(site: &Site) -> Response {
    match site.web_app.file("404.html", &HeaderMap::new()).await {
        Some(page) => (StatusCode::NOT_FOUND, page).into_response(),
        None => (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response(),
    }
}
