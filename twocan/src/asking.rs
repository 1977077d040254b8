//! How handles ask the driver.

use tokio::sync::oneshot;

use crate::Error;
use crate::driver::Command;
use crate::queue::{Sender, WeakSender};

/// Asks the driver, for as long as somebody holds the connection: it does not keep the driver alive.
#[derive(Clone, Debug)]
pub(crate) struct Asking(WeakSender<Command>);

impl Asking {
    pub(crate) fn new(commands: &Sender<Command>) -> Self {
        Self(commands.downgrade())
    }

    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        {
            let commands = self.0.upgrade().ok_or(Error::Closed)?;
            commands.send(command(reply)).map_err(|_| Error::Closed)?;
        }
        answer.await.map_err(|_| Error::Closed)
    }
}
