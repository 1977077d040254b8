use super::*;

const SOUND: u8 = 111;
const PICTURES: u8 = 96;
const STUDIO: u16 = 40_000;
const VIEWERS: [u16; 2] = [41_000, 41_001];
const SERVER: u16 = 8_443;

fn transit() -> Transit {
    let mut transit = Transit::default();
    let types = [SOUND, PICTURES].map(|number| PayloadType::new(number).expect("it has seven bits"));
    transit.add(STUDIO, VIEWERS.into_iter(), types);
    transit
}

fn packet(payload_type: u8, marker: bool, timestamp: u32) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type | u8::from(marker) << 7, 0, 0];
    packet.extend(timestamp.to_be_bytes());
    packet.extend([0; 12]);
    packet
}

/// So many microseconds after the beginning this goes from one port to the other.
fn pass(transit: &mut Transit, at: u64, (source_port, destination_port): (u16, u16), packets: &[Vec<u8>]) {
    let (payload, segment) = (packets.concat(), packets[0].len());
    let at = Duration::from_micros(at);
    transit.take(&Passing { at, source_port, destination_port, payload: &payload, segment });
}

fn close(figure: f64, milliseconds: f64) -> bool {
    (figure - milliseconds).abs() < 1e-9
}

#[test]
fn the_last_packet_of_a_picture_counts_wherever_it_is_in_a_batch() {
    let mut transit = transit();
    let picture = [false, true].map(|marker| packet(PICTURES, marker, 3000));
    pass(&mut transit, 100, (STUDIO, SERVER), &picture[..1]);
    pass(&mut transit, 140, (STUDIO, SERVER), &picture[1..]);
    pass(&mut transit, 300, (SERVER, VIEWERS[0]), &picture);
    pass(
        &mut transit,
        350,
        (SERVER, VIEWERS[1]),
        &[picture.to_vec(), vec![packet(SOUND, false, 7)]].concat(),
    );
    let [sound, pictures] = &transit.took;
    assert!(close(pictures.at(0.0), 0.16) && close(pictures.at(1.0), 0.21));
    assert!(close(transit.first[1].at(1.0), 0.16));
    // That sound came before anybody looked.
    assert!(sound.at(0.5).is_nan());
    assert_eq!(transit.unknown, 1);
}

#[test]
fn sound_sent_again_counts_from_the_first_time() {
    let mut transit = transit();
    let sound = [packet(SOUND, false, 960)];
    pass(&mut transit, 1000, (STUDIO, SERVER), &sound);
    pass(&mut transit, 1500, (STUDIO, SERVER), &sound);
    pass(&mut transit, 2000, (SERVER, VIEWERS[0]), &sound);
    assert!(close(transit.took[0].at(0.5), 1.0));
}

#[test]
fn others_and_reports_are_left_alone() {
    let mut transit = transit();
    let report = [packet(72, true, 960)];
    pass(&mut transit, 0, (STUDIO, SERVER), &report);
    pass(&mut transit, 0, (SERVER, VIEWERS[0]), &report);
    pass(&mut transit, 0, (50_000, SERVER), &[packet(SOUND, false, 960)]);
    pass(&mut transit, 0, (SERVER, 50_001), &[packet(SOUND, false, 960)]);
    pass(&mut transit, 0, (SERVER, VIEWERS[0]), &[vec![0x80, SOUND]]);
    assert!(transit.took.iter().all(|spread| spread.at(0.5).is_nan()));
    assert_eq!(transit.unknown, 0);
}

#[test]
fn what_is_kept_of_a_room_has_a_bound() {
    let mut transit = transit();
    for timestamp in 0..2 * KEPT as u32 {
        pass(&mut transit, 0, (STUDIO, SERVER), &[packet(SOUND, false, timestamp)]);
    }
    assert_eq!(transit.rooms[0].came[0].len(), KEPT);
    pass(&mut transit, 0, (SERVER, VIEWERS[0]), &[packet(SOUND, false, 0)]);
    assert_eq!(transit.unknown, 1);
}
