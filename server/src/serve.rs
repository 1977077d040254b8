//! `twocan serve`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use crate::{
    http::{self, AllowedOrigins, HubHandle, Site, WebApp, start_hub},
    ice_servers::{IceServerIssuer, IceSettings},
    signaling::{Hub, Keys, Settings},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// A page from elsewhere that may use the signaling, as `https://example.org`.
    #[arg(long)]
    allow_origin: Vec<String>,
    #[arg(long, hide = true)]
    web_dir: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    tracing_subscriber::fmt().init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("twocan: cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("twocan: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(options: &Options) -> std::io::Result<()> {
    let settings = Settings::default();
    let limits = settings.limits.clone();
    let mut seed = [0; 32];
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| std::io::Error::other("no randomness"))?;
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| std::io::Error::other("no randomness"))?;
    let ice = IceServerIssuer::new(
        IceSettings { life: Duration::from_secs(3600), ..IceSettings::default() },
        &secret,
    );
    let hub = Hub::new(settings, Keys::new(&secret, None), seed, Box::new(ice.clone()));
    let site = Site {
        hub: start_hub(hub, limits.queued_bytes),
        web_app: options.web_dir.clone().map_or(WebApp::Embedded, WebApp::Folder),
        origins: AllowedOrigins::new(options.allow_origin.iter().cloned()),
        ice,
        limits,
    };
    let site = Arc::new(site);
    let listener = TcpListener::bind(options.http).await?;
    println!("http://{}", listener.local_addr()?);
    let hub = site.hub.clone();
    let router = http::router(site);
    tokio::select! {
        served = axum::serve(listener, router) => return served,
        () = drained_after_signal(&hub) => {}
    }
    Ok(())
}

/// Waits for the wish to stop, then until every client has been told and is gone.
async fn drained_after_signal(hub: &HubHandle) {
    let _ = tokio::signal::ctrl_c().await;
    hub.drain().await;
    while hub.connections().await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
