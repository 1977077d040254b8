//! What data channels do beyond single messages: streams, pieces, amounts, two tasks at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::pair::Pair;
use crate::within;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use twocan::{Configuration, DataChannelOptions, Message, MessagePiece, SendError};

#[tokio::test]
async fn a_stream_carries_bytes_both_ways_and_ends() {
    within(async {
        let Pair { ours, theirs, ada: _ada, bob: _bob } = Pair::new(Configuration::default()).await;
        let (ours, theirs) = (ours.into_stream(), theirs.into_stream());
        let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        let expected = sent.clone();
        let echo = tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(theirs);
            let copied = tokio::io::copy(&mut read, &mut write).await;
            let _ = write.shutdown().await;
            copied
        });
        let (mut read, mut write) = tokio::io::split(ours);
        let writer = tokio::spawn(async move {
            write.write_all(&sent).await?;
            write.flush().await?;
            Ok::<_, std::io::Error>(write)
        });
        let mut received = vec![0; expected.len()];
        read.read_exact(&mut received).await.expect("all comes back");
        assert!(received == expected);
        let mut write = writer.await.expect("no panic").expect("written");
        write.shutdown().await.expect("closed");
        assert_eq!(read.read(&mut received).await.expect("the end"), 0);
        assert_eq!(echo.await.expect("no panic").expect("copied"), expected.len() as u64);
    })
    .await;
}

/// A message that is longer than what may wait for the application.
#[tokio::test]
async fn a_long_message_arrives_in_pieces() {
    const LENGTH: usize = 40 << 20;
    within(async {
        let configuration = Configuration { max_message_size: 1 << 30, ..Configuration::default() };
        let mut pair = Pair::new(configuration).await;
        assert_eq!(pair.ours.max_message_size(), 1 << 30);
        pair.ours.send(vec![3; LENGTH]).await.expect("queued");
        pair.ours.send("short").await.expect("queued");
        let (mut length, mut pieces) = (0, 0);
        loop {
            match pair.theirs.recv_piece().await {
                Some(MessagePiece::Part { first, last, data, is_text, .. }) => {
                    assert!(!is_text && first == (pieces == 0));
                    assert!(data.len() <= 260 << 10, "{}", data.len());
                    (length, pieces) = (length + data.len(), pieces + 1);
                    if last {
                        break;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(length, LENGTH);
        assert_eq!(pair.theirs.recv().await, Some(Message::text("short")));
    })
    .await;
}

#[tokio::test]
async fn a_message_beyond_what_the_peer_takes_is_refused() {
    within(async {
        let pair = Pair::new(Configuration { max_message_size: 1000, ..Configuration::default() }).await;
        assert_eq!(pair.ours.send(vec![0; 1001]).await, Err(SendError::TooLong));
        assert_eq!(pair.ours.send(vec![0; 1000]).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn amounts_rise_while_nobody_takes_and_fall_when_somebody_does() {
    const MESSAGE: usize = 64 << 10;
    /// More than windows and queues take.
    const COUNT: usize = 1024;
    within(async {
        let Pair { ours, mut theirs, ada: _ada, bob: _bob } = Pair::new(Configuration::default()).await;
        let (sender, message) = (ours.sender(), Bytes::from(vec![1; MESSAGE]));
        let sending = tokio::spawn(async move {
            for _ in 0..COUNT {
                sender.send(message.clone()).await?;
            }
            Ok::<_, SendError>(sender)
        });
        // Everything on the way is full: the sender waits.
        while ours.buffered_amount() < 16 << 20 {
            tokio::task::yield_now().await;
        }
        assert!(!sending.is_finished());
        ours.set_buffered_amount_low_threshold(MESSAGE);
        let low = tokio::spawn(async move {
            let sender = sending.await.expect("no panic")?;
            sender.buffered_amount_low().await?;
            let amount = sender.buffered_amount();
            sender.flush().await?;
            Ok::<_, SendError>((amount, sender.buffered_amount()))
        });
        for _ in 0..COUNT {
            assert!(theirs.recv().await.is_some_and(|message| message.len() == MESSAGE));
        }
        let (amount, flushed) = low.await.expect("no panic").expect("open");
        assert!(amount <= MESSAGE as u64 && flushed == 0, "{amount}, {flushed}");
    })
    .await;
}

#[tokio::test]
async fn a_channel_without_order_delivers_long_messages_whole() {
    within(async {
        let options = DataChannelOptions { ordered: false, ..DataChannelOptions::default() };
        let mut pair =
            Pair::with(Configuration { max_message_size: 8 << 20, ..Configuration::default() }, options)
                .await;
        for number in 0..6_u8 {
            pair.ours.send(vec![number; (1 << 20) + usize::from(number)]).await.expect("queued");
        }
        let mut seen = [false; 6];
        for _ in 0..6 {
            let Some(Message::Binary(bytes)) = pair.theirs.recv().await else { panic!("bytes") };
            let number = bytes[0];
            assert!(bytes.iter().all(|byte| *byte == number));
            assert_eq!(bytes.len(), (1 << 20) + usize::from(number));
            seen[usize::from(number)] = true;
        }
        assert_eq!(seen, [true; 6]);
    })
    .await;
}

/// A message need not wait for the megabytes that another channel has queued before it.
#[tokio::test]
async fn a_full_channel_does_not_hold_up_another() {
    const ROUNDS: u64 = 20;
    within(async {
        let mut pair = Pair::new(Configuration::default()).await;
        let options = DataChannelOptions { negotiated: Some(9), ..DataChannelOptions::default() };
        let mut ping = pair.ada.create_data_channel("ping", options.clone()).await.expect("a channel");
        let mut pong = pair.bob.create_data_channel("ping", options).await.expect("a channel");
        tokio::spawn(async move {
            while let Some(message) = pong.recv().await {
                pong.send(message).await.expect("queued");
            }
        });
        let bulk = pair.ours.sender().clone();
        tokio::spawn(async move { while bulk.send(vec![7; 64 << 10]).await.is_ok() {} });
        let received = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&received);
        tokio::spawn(async move {
            while let Some(message) = pair.theirs.recv().await {
                count.fetch_add(message.len() as u64, Ordering::SeqCst);
            }
        });
        while pair.ours.buffered_amount() < 8 << 20 {
            tokio::task::yield_now().await;
        }
        let before = received.load(Ordering::SeqCst);
        for _ in 0..ROUNDS {
            ping.send("ping").await.expect("queued");
            assert_eq!(ping.recv().await, Some(Message::text("ping")));
        }
        let each = (received.load(Ordering::SeqCst) - before) / ROUNDS;
        assert!(each < 8 << 20, "{each} bytes came before each answer");
    })
    .await;
}
