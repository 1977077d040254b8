//! Copies a file's frames into another container: `cargo run -p twocan-media --example remux -- film.mp4 film.mkv`.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use twocan_media::{Container, FrameSource, Track, create, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("name a file to read and one to write".into());
    };
    let mut source = open(BufReader::new(File::open(&from)?))?;
    for track in source.tracks() {
        println!(
            "{}, {:?}, {} channels, reorders: {}",
            track.codec.name(),
            track.size,
            track.channels,
            track.reorders
        );
    }
    source.left_out().iter().for_each(|what| println!("left out: {what}"));
    let ending = Path::new(&to).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let container =
        Container::from_extension(ending).ok_or("the second name needs an ending that is known")?;
    // Those that have a place there, as they describe themselves.
    let taken: Vec<usize> =
        (0..source.tracks().len()).filter(|at| container.takes(source.tracks()[*at].codec)).collect();
    let tracks: Vec<Track> = taken.iter().map(|at| source.tracks()[*at].clone()).collect();
    let mut sink = create(container, BufWriter::new(File::create(&to)?), &tracks)?;
    let (mut count, mut keys, mut end) = (0, 0, std::time::Duration::ZERO);
    while let Some(mut frame) = source.next_frame()? {
        let Some(place) = taken.iter().position(|at| *at == frame.track) else { continue };
        frame.track = place;
        count += 1;
        keys += usize::from(frame.key);
        end = end.max(frame.time);
        sink.write_frame(&frame)?;
    }
    sink.finish()?;
    println!("{count} frames, {keys} of them key frames, to {end:?}");
    Ok(())
}
