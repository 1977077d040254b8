//! Packets take nothing from the heap.

use twocan_srtp::{Keys, Profile, Receiver, Sender};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for profile in Profile::ALL {
        let keys = Keys::split(profile, &vec![7; profile.keying_material_len()]).unwrap();
        let (mut sender, mut receiver) =
            (Sender::new(&keys.client).unwrap(), Receiver::new(&keys.client).unwrap());
        sender.set_cryptex(true);
        let mut buffer = Vec::with_capacity(2048);
        let mut before = None;
        for number in 0..1000_u16 {
            for ssrc in 1..=3 {
                buffer.clear();
                let [high, low] = number.to_be_bytes();
                buffer.extend([0x82, 96, high, low, 0, 0, 0, 1, 0, 0, 0, ssrc, 0, 0, 0, 4, 0, 0, 0, 5]);
                buffer.extend([0xBE; 1200]);
                sender.protect_rtp(&mut buffer, 0).unwrap();
                let mut forged = [0; 1500];
                forged[..buffer.len()].copy_from_slice(&buffer);
                forged[30] ^= 1;
                assert!(receiver.unprotect_rtp(&mut forged[..buffer.len()]).is_err());
                assert_eq!(receiver.unprotect_rtp(&mut buffer), Ok(1224));
            }
            buffer.clear();
            buffer.extend([0x80, 201, 0, 1, 0, 0, 0, 9]);
            sender.protect_rtcp(&mut buffer, 0).unwrap();
            assert_eq!(receiver.unprotect_rtcp(&mut buffer), Ok(8));
            // The first packet of each source makes room for it.
            before.get_or_insert(dhat::HeapStats::get().total_blocks);
        }
        assert_eq!(Some(dhat::HeapStats::get().total_blocks), before, "{profile:?}");
    }
}
