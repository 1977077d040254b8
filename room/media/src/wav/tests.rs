use super::*;

/// A file of one chunk of sound, behind one that nobody knows.
fn file(format: u16, channels: u16, rate: u32, bits: u16, length: u32, sound: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut file = b"RIFF\0\0\0\0WAVEodd \x01\0\0\0?\0fmt \x10\0\0\0".to_vec();
    for number in [format, channels] {
        file.extend(number.to_le_bytes());
    }
    for number in [rate, rate * u32::from(block)] {
        file.extend(number.to_le_bytes());
    }
    for number in [block, bits] {
        file.extend(number.to_le_bytes());
    }
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(sound);
    file
}

fn samples(file: &[u8]) -> Vec<f32> {
    let mut reader = WavReader::new(file).unwrap();
    let mut all = Vec::new();
    loop {
        let mut some = [9.0; 2];
        let count = reader.read(&mut some).unwrap();
        all.extend(&some[..count]);
        if count < some.len() {
            return all;
        }
    }
}

#[test]
fn samples_are_what_they_were() {
    let pcm = file(1, 1, 8000, 16, 6, &[0, 0x80, 0, 0x40, 0, 0, 77, 77]);
    assert_eq!(samples(&pcm), [-1.0, 0.5, 0.0]);
    let reader = WavReader::new(&pcm[..]).unwrap();
    assert_eq!((reader.rate(), reader.channels()), (8000, 1));
    assert_eq!(samples(&file(1, 2, 48_000, 24, 6, &[0, 0, 0xC0, 0, 0, 0x20])), [-0.5, 0.25]);
    assert_eq!(samples(&file(1, 1, 48_000, 32, 4, &[0, 0, 0, 0x40])), [0.5]);
    let float = [0.25_f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat();
    assert_eq!(samples(&file(3, 1, 48_000, 32, 8, &float)), [0.25, 0.0]);
}

#[test]
fn what_is_cut_off_ends_with_the_last_whole_samples() {
    // It says that there are a hundred bytes, or that nobody knows.
    for length in [100, u32::MAX] {
        assert_eq!(samples(&file(1, 2, 48_000, 16, length, &[0, 0x40, 0, 0x40, 0, 0x40])), [0.5, 0.5]);
    }
}

#[test]
fn a_format_may_stand_behind() {
    let mut file = file(EXTENSIBLE, 1, 16_000, 16, 2, &[0, 0x40]);
    // The chunk becomes 40 bytes long: how many are more, valid bits, mask, and the name, which begins with the format.
    let more = [&[22, 0, 16, 0, 4, 0, 0, 0, 1, 0][..], &[0; 14]].concat();
    file.splice(46..46, more);
    file[26] = 40;
    assert_eq!(samples(&file), [0.5]);
}

#[test]
fn others_are_told_what_to_do() {
    let refusal = |file: &[u8]| WavReader::new(file).unwrap_err().to_string();
    assert!(refusal(&file(1, 6, 48_000, 16, 0, &[])).contains("-ac 2"));
    assert!(refusal(&file(1, 1, 48_000, 8, 0, &[])).contains("8 bits"));
    assert!(refusal(&file(0x55, 1, 48_000, 16, 0, &[])).contains("format 85"));
    assert!(refusal(&file(1, 1, 0, 16, 0, &[])).contains("damaged"));
    assert!(refusal(b"RIFF\0\0\0\0AVI LIST").contains("damaged"));
    let cut = file(1, 1, 48_000, 16, 0, &[]);
    for length in 0..cut.len() {
        refusal(&cut[..length]);
    }
}
