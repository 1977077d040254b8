use super::*;

const BATCH: Id = Id([0xbb; 16]);

fn id(number: u8) -> Id {
    Id([number; 16])
}

fn offer(number: u8, size: u64, path: Option<&str>) -> FileMessage {
    FileMessage::Offer(Offer {
        id: id(number),
        version: VERSION,
        name: format!("{number}.txt"),
        size,
        path: path.map(str::to_owned),
        batch: Some(BATCH),
        modified: None,
    })
}

fn batch(files: u64) -> FileMessage {
    FileMessage::Batch { id: BATCH, version: VERSION, files, folders: 0, bytes: 9, name: "photos".into() }
}

fn orders(machine: &mut Receiving) -> Vec<Order> {
    std::iter::from_fn(|| machine.poll_order()).collect()
}

fn told(message: FileMessage) -> Order {
    Order::Tell(message)
}

/// Somebody has said yes to so many files.
fn accepted(files: u64) -> Receiving {
    let mut machine = Receiving::default();
    machine.handle(batch(files));
    machine.answer(BATCH, true);
    orders(&mut machine);
    machine
}

/// A file is accepted from `stored` on.
fn ready(number: u8, size: u64, stored: u64) -> Receiving {
    let mut machine = accepted(1);
    machine.handle(offer(number, size, None));
    machine.opened(id(number), stored);
    orders(&mut machine);
    machine
}

fn faults(machine: &mut Receiving, message: FileMessage) -> u64 {
    let before = machine.faults();
    machine.handle(message);
    machine.faults() - before
}

#[test]
fn a_file_goes_its_way() {
    let mut machine = Receiving::default();
    machine.handle(batch(1));
    machine.handle(offer(1, 9, Some("photos/a.txt")));
    let question = Question { id: BATCH, files: 1, size: 9, name: "photos".into() };
    assert_eq!(orders(&mut machine), [Order::Ask(question)]);
    assert!(!machine.is_over());
    machine.answer(BATCH, true);
    let path = SafePath::parse("photos/a.txt").unwrap();
    assert_eq!(
        orders(&mut machine),
        [
            told(FileMessage::Accept { id: BATCH, offset: 0, window: None }),
            Order::Open { id: id(1), path, size: 9, modified: None }
        ]
    );
    machine.opened(id(1), 0);
    assert_eq!(
        orders(&mut machine),
        [told(FileMessage::Accept { id: id(1), offset: 0, window: Some(WINDOW) })]
    );
    assert_eq!(machine.channel(id(1), 0), Ok(()));
    assert_eq!(machine.bytes(id(1), 9), Ok(()));
    machine.handle(FileMessage::End { id: id(1), digest: [7; 32] });
    assert_eq!(orders(&mut machine), []);
    machine.stored(id(1), 9);
    assert_eq!(
        orders(&mut machine),
        [told(FileMessage::Progress { id: id(1), received: 9 }), Order::Hash { id: id(1) }]
    );
    machine.hashed(id(1), [7; 32]);
    assert_eq!(orders(&mut machine), [Order::Keep { id: id(1) }]);
    machine.kept(id(1));
    assert_eq!(
        orders(&mut machine),
        [
            told(FileMessage::Done { id: id(1) }),
            Order::Release { id: id(1) },
            Order::Ended { id: id(1), end: End::Done { digest: Some([7; 32]) } }
        ]
    );
    assert!(machine.is_over());
    assert_eq!(machine.faults(), 0);
}

#[test]
fn an_empty_file_needs_no_bytes() {
    let mut machine = ready(1, 0, 0);
    machine.handle(FileMessage::End { id: id(1), digest: [7; 32] });
    assert_eq!(orders(&mut machine), [Order::Hash { id: id(1) }]);
}

#[test]
fn folders_are_waited_for_and_count_for_no_files() {
    let mut machine = Receiving::default();
    let announced =
        FileMessage::Batch { id: BATCH, version: VERSION, files: 1, folders: 2, bytes: 0, name: "a".into() };
    machine.handle(announced);
    machine.answer(BATCH, true);
    assert!(!machine.is_over(), "nothing has come yet");
    for number in [1, 2] {
        machine.handle(FileMessage::Folder { id: id(number), batch: BATCH, path: format!("a/{number}") });
        machine.kept(id(number));
    }
    assert!(!machine.is_over(), "the file is missing");
    machine.handle(offer(3, 0, None));
    machine.opened(id(3), 0);
    machine.handle(FileMessage::End { id: id(3), digest: [1; 32] });
    machine.hashed(id(3), [1; 32]);
    assert!(!machine.is_over());
    machine.kept(id(3));
    assert!(machine.is_over());
}

#[test]
fn what_is_skipped_is_declined_and_over() {
    let mut machine = accepted(1);
    machine.handle(offer(1, 9, None));
    orders(&mut machine);
    machine.skipped(id(1));
    let decline = told(FileMessage::Decline { id: id(1) });
    let ended = Order::Ended { id: id(1), end: End::Skipped };
    assert_eq!(orders(&mut machine), [decline.clone(), Order::Release { id: id(1) }, ended]);
    assert!(machine.is_over());
    machine.handle(offer(1, 9, None));
    assert_eq!(orders(&mut machine), [decline]);
    let mut under_way = ready(1, 9, 0);
    under_way.skipped(id(1));
    assert_eq!(orders(&mut under_way), [], "it is too late");
}

#[test]
fn after_an_interruption_it_goes_on_from_what_is_stored() {
    let mut machine = ready(1, 9, 0);
    machine.channel(id(1), 0).unwrap();
    machine.bytes(id(1), 5).unwrap();
    machine.unlinked();
    machine.handle(batch(1));
    machine.handle(offer(1, 9, None));
    assert_eq!(
        orders(&mut machine),
        [told(FileMessage::Accept { id: BATCH, offset: 0, window: None }), Order::Settle { id: id(1) }]
    );
    // The old channel says nothing more.
    assert!(machine.bytes(id(1), 1).is_err());
    machine.opened(id(1), 4);
    assert_eq!(
        orders(&mut machine),
        [told(FileMessage::Accept { id: id(1), offset: 4, window: Some(WINDOW) })]
    );
    assert!(machine.channel(id(1), 0).is_err());
    assert!(machine.channel(id(1), 4).is_ok());
}

#[test]
fn a_channel_that_closed_too_early_is_not_followed_by_another_before_a_new_offer() {
    let mut machine = ready(1, 9, 0);
    machine.channel(id(1), 0).unwrap();
    machine.bytes(id(1), 5).unwrap();
    machine.interrupted(id(1));
    // Whatever a label says; a difference to the size is never taken of these.
    for offset in [0, 5, 9, 10, u64::MAX] {
        assert_eq!(machine.channel(id(1), offset), Err(Fault::Channel), "{offset}");
    }
    assert!(!machine.is_over());
    machine.handle(offer(1, 9, None));
    assert_eq!(orders(&mut machine), [Order::Settle { id: id(1) }]);
}

#[test]
fn what_was_done_is_said_again() {
    let mut machine = accepted(3);
    machine.handle(offer(1, 9, None));
    orders(&mut machine);
    machine.known(id(1));
    assert_eq!(orders(&mut machine)[0], told(FileMessage::Done { id: id(1) }));
    machine.handle(offer(1, 9, None));
    assert_eq!(orders(&mut machine), [told(FileMessage::Done { id: id(1) })]);
    let folder = FileMessage::Folder { id: id(2), batch: BATCH, path: "a/b".into() };
    machine.handle(folder.clone());
    assert_eq!(orders(&mut machine), [Order::Folder { id: id(2), path: SafePath::parse("a/b").unwrap() }]);
    machine.kept(id(2));
    orders(&mut machine);
    machine.handle(folder);
    assert_eq!(orders(&mut machine), [told(FileMessage::Done { id: id(2) })]);
}

#[test]
fn another_digest_throws_the_file_away() {
    let mut machine = ready(1, 9, 9);
    machine.handle(FileMessage::End { id: id(1), digest: [7; 32] });
    machine.hashed(id(1), [8; 32]);
    let after = orders(&mut machine);
    assert!(after.contains(&Order::Discard { id: id(1) }), "{after:?}");
    assert!(after.iter().any(|order| matches!(order, Order::Ended { end: End::Failed(_), .. })));
    assert!(!after.iter().any(|order| matches!(order, Order::Keep { .. })));
}

#[test]
fn paths_that_lead_out_are_refused() {
    let mut machine = accepted(4);
    for (number, path) in [(1, "../a"), (2, "/etc/passwd"), (3, "a//b")] {
        assert_eq!(faults(&mut machine, offer(number, 9, Some(path))), 1, "{path}");
        let after = orders(&mut machine);
        assert!(!after.iter().any(|order| matches!(order, Order::Open { .. })), "{after:?}");
        assert!(matches!(after[0], Order::Tell(FileMessage::Cancel { .. })), "{after:?}");
    }
    let folder = FileMessage::Folder { id: id(4), batch: BATCH, path: "a/../..".into() };
    assert_eq!(faults(&mut machine, folder), 1);
    assert!(!orders(&mut machine).iter().any(|order| matches!(order, Order::Folder { .. })));
}

#[test]
fn nothing_is_stored_that_nobody_wanted() {
    let mut machine = Receiving::default();
    assert!(machine.channel(id(1), 0).is_err());
    assert!(machine.bytes(id(1), 1).is_err());
    machine.handle(batch(1));
    machine.handle(offer(1, 9, None));
    machine.handle(FileMessage::Folder { id: id(2), batch: BATCH, path: "a".into() });
    assert_eq!(orders(&mut machine).len(), 1, "the question");
    // Not before the answer.
    assert!(machine.channel(id(1), 0).is_err());
    machine.answer(BATCH, false);
    assert_eq!(
        orders(&mut machine),
        [told(FileMessage::Decline { id: BATCH }), told(FileMessage::Decline { id: id(1) })]
    );
    assert!(machine.channel(id(1), 0).is_err());
    machine.handle(offer(3, 9, None));
    assert_eq!(orders(&mut machine), [told(FileMessage::Decline { id: id(3) })]);
    assert!(machine.is_over());
}

#[test]
fn more_bytes_than_were_offered_end_the_file() {
    let mut machine = ready(1, 9, 0);
    machine.channel(id(1), 0).unwrap();
    assert_eq!(machine.bytes(id(1), 10), Err(Fault::Flood));
    assert!(orders(&mut machine).contains(&Order::Release { id: id(1) }));

    let mut machine = ready(1, 1 << 40, 0);
    machine.channel(id(1), 0).unwrap();
    assert_eq!(machine.bytes(id(1), MOST_UNSTORED), Ok(()));
    assert_eq!(machine.bytes(id(1), 1), Err(Fault::Flood));
    assert!(machine.bytes(id(1), u64::MAX).is_err());
}

#[test]
fn one_id_is_one_file() {
    let mut machine = ready(1, 9, 0);
    assert_eq!(faults(&mut machine, offer(1, 10, None)), 1);
    // A second channel for the same file is one too many.
    assert!(machine.channel(id(1), 0).is_ok());
    assert_eq!(machine.channel(id(1), 0), Err(Fault::Channel));
}

#[test]
fn floods_of_offers_and_batches_are_bounded() {
    let mut machine = accepted(u64::MAX);
    let many = |number: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Id(bytes)
    };
    let mut refused = 0;
    for number in 0..3_000 {
        let FileMessage::Offer(one) = offer(0, 1, None) else { unreachable!() };
        refused += faults(&mut machine, FileMessage::Offer(Offer { id: many(number), ..one }));
    }
    assert_eq!(refused, 3_000 - MOST_OPEN as u64);
    assert!(machine.files.len() <= MOST_OPEN);
    let mut machine = Receiving::default();
    for number in 0..200 {
        let question = FileMessage::Batch {
            id: many(number),
            version: 1,
            files: 1,
            folders: 0,
            bytes: 1,
            name: "x".into(),
        };
        machine.handle(question);
    }
    assert!(machine.batches.len() <= MOST_BATCHES && machine.faults() > 0);
    let asked = orders(&mut machine).iter().filter(|order| matches!(order, Order::Ask(_))).count();
    assert_eq!(asked, MOST_BATCHES);
}

#[test]
fn messages_of_a_receiver_do_not_come_from_a_sender() {
    let mut machine = accepted(1);
    for message in [
        FileMessage::Accept { id: id(1), offset: 0, window: None },
        FileMessage::Decline { id: id(1) },
        FileMessage::Progress { id: id(1), received: 1 },
        FileMessage::Done { id: id(1) },
    ] {
        assert_eq!(faults(&mut machine, message), 1);
    }
    assert_eq!(orders(&mut machine), []);
}

#[test]
fn a_sender_that_ends_it_is_believed() {
    let mut machine = ready(1, 9, 0);
    machine.handle(FileMessage::Cancel { id: BATCH, reason: "\u{1b}gone".into() });
    let after = orders(&mut machine);
    let ended = Order::Ended { id: id(1), end: End::Cancelled("gone".into()) };
    assert!(after.contains(&ended), "{after:?}");
    assert!(machine.is_over());
}
