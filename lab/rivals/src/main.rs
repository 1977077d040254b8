//! Our end of a call, on standard input and output: for tests that run it in a place of its own.

use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

fn main() {
    let mut end = twocan_rivals::ours::end();
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Ok(line) = serde_json::from_str::<serde_json::Value>(&line)
                && sender.send(line).is_err()
            {
                return;
            }
        }
    });
    let mut output = std::io::stdout().lock();
    loop {
        loop {
            match lines.try_recv() {
                Ok(line) => end.tell(line),
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            }
        }
        if let Some(line) = end.hear(Instant::now() + Duration::from_millis(2))
            && writeln!(output, "{line}").is_err()
        {
            return;
        }
    }
}
