//! The library over real sockets, on this machine.

mod channels;
mod consent;
mod endpoint;
mod frames;
mod gathering;
mod lives;
mod loopback;
mod media;
mod pair;
mod restarts;
mod states;
mod turn_server;
mod versions;

use std::time::Duration;

/// More than any test takes on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, test).await.expect("it ends in time")
}
