use super::*;

const BATCH: Id = Id([0xbb; 16]);

fn id(number: u8) -> Id {
    Id([number; 16])
}

fn item(number: u8, size: u64) -> Item {
    Item { id: id(number), path: format!("photos/{number}"), size, modified: 0, is_folder: false }
}

fn orders(machine: &mut Sending) -> Vec<Order> {
    std::iter::from_fn(|| machine.poll_order()).collect()
}

/// Ids of the offers among these.
fn offered(orders: &[Order]) -> Vec<Id> {
    let offer = |order: &Order| match order {
        Order::Tell(FileMessage::Offer(offer)) => Some(offer.id),
        Order::Tell(FileMessage::Folder { id, .. }) => Some(*id),
        _ => None,
    };
    orders.iter().filter_map(offer).collect()
}

fn accept(number: u8, offset: u64) -> FileMessage {
    FileMessage::Accept { id: id(number), offset, window: None }
}

fn linked(items: Vec<Item>) -> Sending {
    let mut machine = Sending::new(BATCH, "photos".into(), items);
    machine.linked();
    orders(&mut machine);
    machine
}

#[test]
fn a_file_goes_its_way() {
    let mut machine = Sending::new(BATCH, "photos".into(), vec![item(1, 9)]);
    assert_eq!(orders(&mut machine), []);
    machine.linked();
    let told = orders(&mut machine);
    let batch =
        FileMessage::Batch { id: BATCH, version: 1, files: 1, folders: 0, bytes: 9, name: "photos".into() };
    assert_eq!(told[0], Order::Tell(batch));
    assert_eq!(offered(&told), [id(1)]);
    machine.handle(accept(1, 4));
    assert_eq!(orders(&mut machine), [Order::Start { item: 0, offset: 4, window: WINDOW }]);
    machine.handle(FileMessage::Progress { id: id(1), received: 8 });
    machine.sent(0, [3; 32]);
    assert_eq!(
        orders(&mut machine),
        [Order::Stored { item: 0, bytes: 8 }, Order::Tell(FileMessage::End { id: id(1), digest: [3; 32] })]
    );
    assert!(!machine.is_over());
    machine.handle(FileMessage::Done { id: id(1) });
    assert_eq!(orders(&mut machine), [Order::Stop { item: 0 }, Order::Ended { item: 0, end: End::Done }]);
    assert!(machine.is_over());
}

#[test]
fn an_interruption_offers_anew_what_is_not_done() {
    let mut machine = linked(vec![item(1, 9), item(2, 9), item(3, 9)]);
    machine.handle(accept(1, 0));
    machine.handle(accept(2, 0));
    machine.sent(0, [0; 32]);
    machine.handle(FileMessage::Done { id: id(1) });
    orders(&mut machine);
    machine.unlinked();
    assert_eq!(orders(&mut machine), [Order::Stop { item: 1 }]);
    // Nothing is said while nobody hears it.
    machine.handle(accept(2, 5));
    assert_eq!(orders(&mut machine), []);
    machine.linked();
    assert_eq!(offered(&orders(&mut machine)), [id(2), id(3)]);
    machine.handle(accept(2, 5));
    assert_eq!(orders(&mut machine), [Order::Start { item: 1, offset: 5, window: WINDOW }]);
    // The channel alone closes.
    machine.interrupted(1);
    let again = orders(&mut machine);
    assert_eq!(offered(&again), [id(2)]);
    assert!(again.contains(&Order::Stop { item: 1 }));
}

#[test]
fn many_files_wait_their_turn() {
    let items: Vec<Item> = (0..200).map(|number| item(number, 1)).collect();
    let mut machine = Sending::new(BATCH, "many".into(), items);
    machine.linked();
    assert_eq!(offered(&orders(&mut machine)).len(), OPEN);
    let mut done = 0;
    for number in 0..200 {
        machine.handle(accept(number, 0));
        let started = orders(&mut machine);
        assert!(started.iter().any(|order| matches!(order, Order::Start { .. })), "{started:?}");
        machine.sent(number.into(), [0; 32]);
        machine.handle(FileMessage::Done { id: id(number) });
        let after = orders(&mut machine);
        done += after.iter().filter(|order| matches!(order, Order::Ended { .. })).count();
        assert!(machine.open.len() <= OPEN);
    }
    assert_eq!(done, 200);
    assert!(machine.is_over());
}

#[test]
fn only_so_many_are_read_at_once() {
    let mut machine = linked((0..8).map(|number| item(number, 1)).collect());
    for number in 0..8 {
        machine.handle(accept(number, 0));
    }
    let started = |orders: &[Order]| orders.iter().filter(|o| matches!(o, Order::Start { .. })).count();
    assert_eq!(started(&orders(&mut machine)), READING);
    machine.sent(0, [0; 32]);
    assert_eq!(started(&orders(&mut machine)), 1);
}

#[test]
fn folders_are_told_again_after_the_yes() {
    let folder = Item { is_folder: true, ..item(1, 0) };
    let mut machine = linked(vec![folder]);
    machine.handle(FileMessage::Accept { id: BATCH, offset: 0, window: None });
    assert_eq!(offered(&orders(&mut machine)), [id(1)]);
    machine.handle(FileMessage::Done { id: id(1) });
    assert!(machine.is_over());
}

#[test]
fn a_no_ends_it() {
    let mut machine = linked(vec![item(1, 9), item(2, 9)]);
    machine.handle(FileMessage::Decline { id: id(1) });
    assert_eq!(orders(&mut machine), [Order::Ended { item: 0, end: End::Declined }]);
    assert!(!machine.is_declined());
    machine.handle(FileMessage::Decline { id: BATCH });
    assert!(machine.is_declined() && machine.is_over());
}

#[test]
fn a_hostile_receiver_gets_nothing_out_of_turn() {
    let mut machine = linked(vec![item(1, 9)]);
    for message in [
        accept(9, 0),
        // Behind the file's end.
        accept(1, 10),
        FileMessage::Done { id: id(9) },
        FileMessage::Progress { id: id(1), received: 5 },
        FileMessage::End { id: id(1), digest: [0; 32] },
        FileMessage::Folder { id: id(1), batch: BATCH, path: "..".into() },
    ] {
        machine.handle(message.clone());
        assert_eq!(orders(&mut machine), [], "{message:?}");
    }
    machine.handle(FileMessage::Accept { id: id(1), offset: 0, window: Some(u64::MAX) });
    assert_eq!(orders(&mut machine), [Order::Start { item: 0, offset: 0, window: LARGEST_WINDOW }]);
    // A second yes does not start it twice, nor can it be done before it was sent.
    machine.handle(accept(1, 0));
    machine.handle(FileMessage::Done { id: id(1) });
    assert_eq!(orders(&mut machine), []);
    machine.handle(FileMessage::Progress { id: id(1), received: u64::MAX });
    assert_eq!(orders(&mut machine), [Order::Stored { item: 0, bytes: 9 }]);
    machine.handle(FileMessage::Cancel { id: id(1), reason: "a\u{1b}b".into() });
    assert_eq!(
        orders(&mut machine),
        [Order::Stop { item: 0 }, Order::Ended { item: 0, end: End::Cancelled("ab".into()) }]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_of() {
    let mut machine = linked(vec![item(1, 9)]);
    machine.handle(accept(1, 0));
    orders(&mut machine);
    machine.unreadable(0, "gone");
    let told = orders(&mut machine);
    assert!(matches!(&told[0], Order::Tell(FileMessage::Cancel { .. })), "{told:?}");
    assert_eq!(told.last(), Some(&Order::Ended { item: 0, end: End::Unreadable("gone".into()) }));
    assert!(machine.is_over());
}
